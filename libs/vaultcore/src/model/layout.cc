#include "vaultcore/model/layout.h"

#include <algorithm>
#include <array>

namespace vaultcore {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool EndsWithIgnoringCase(std::string_view text, std::string_view lower_case_end) {
  if (text.size() < lower_case_end.size()) return false;
  text.remove_prefix(text.size() - lower_case_end.size());
  return std::equal(text.begin(), text.end(), lower_case_end.begin(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

}  // namespace

StatusOr<SecretLayout> SecretLayout::Create(std::string_view engine, std::string_view base_path) {
  auto mount = Mount::Parse(engine);
  if (!mount.ok()) return Annotate(mount.status(), "engine");
  std::optional<SecretPath> base;
  if (base_path.find_first_not_of('/') != std::string_view::npos) {
    auto parsed = SecretPath::Parse(base_path);
    if (!parsed.ok()) return Annotate(parsed.status(), "basePath");
    base = *std::move(parsed);
  }
  return SecretLayout(*std::move(mount), std::move(base));
}

StatusOr<SecretRef> SecretLayout::Below(std::string_view relative) const {
  VC_ASSIGN_OR_RETURN(SecretPath path,
                      base_ ? base_->Child(relative) : SecretPath::Parse(relative));
  return SecretRef{mount_, std::move(path)};
}

StatusOr<SecretRef> SecretLayout::EnvSecrets(std::string_view service) const {
  VC_ASSIGN_OR_RETURN(const SecretPath name, SecretPath::Parse(service));
  return Below(name.text() + "/env-secrets");
}

StatusOr<SecretRef> SecretLayout::FileSecrets(std::string_view service) const {
  VC_ASSIGN_OR_RETURN(const SecretPath name, SecretPath::Parse(service));
  return Below(name.text() + "/file-secrets");
}

StatusOr<SecretRef> SecretLayout::Database(std::string_view name) const { return Below(name); }

bool IsFileKey(std::string_view key) {
  constexpr std::array<std::string_view, 5> kExtensions = {".crt", ".pem", ".key", ".jks", ".p12"};
  return std::any_of(kExtensions.begin(), kExtensions.end(), [key](std::string_view extension) {
    return EndsWithIgnoringCase(key, extension);
  });
}

bool IsEnvironmentName(std::string_view name) {
  if (name.empty() || !(IsLetter(name.front()) || name.front() == '_')) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLetter(c) || c == '_' || (c >= '0' && c <= '9'); });
}

}  // namespace vaultcore
