#include "vaultcore/model/path.h"

#include "vaultcore/base/encoding.h"

namespace vaultcore {
namespace {

// `text` without the slashes around it, or what is wrong with it. `what` names the thing in errors.
StatusOr<std::string> Normalize(std::string_view text, std::string_view what) {
  const std::string_view whole = text;
  while (!text.empty() && text.front() == '/') text.remove_prefix(1);
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  const auto refuse = [what, whole](std::string_view reason) {
    std::string message("the ");
    message.append(what).append(" \"").append(Printable(whole)).append("\" ").append(reason);
    return MakeError(ErrorKind::kUsage, message);
  };
  if (text.empty()) {
    return MakeError(ErrorKind::kUsage, "the " + std::string(what) + " is empty");
  }
  if (!IsValidUtf8(text)) return refuse("is not valid UTF-8");
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls too: C2 80 to C2 9F.
    if (byte < 0x20 || byte == 0x7F ||
        (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0)) {
      return refuse("holds a control character");
    }
  }
  for (std::string_view rest = text; !rest.empty();) {
    const size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment.empty()) return refuse("has an empty segment (\"//\")");
    if (segment == "." || segment == "..") return refuse("has a segment \".\" or \"..\"");
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return std::string(text);
}

}  // namespace

StatusOr<Mount> Mount::Parse(std::string_view text) {
  VC_ASSIGN_OR_RETURN(std::string normal, Normalize(text, "mount path"));
  return Mount(std::move(normal));
}

StatusOr<SecretPath> SecretPath::Parse(std::string_view text) {
  VC_ASSIGN_OR_RETURN(std::string normal, Normalize(text, "secret path"));
  return SecretPath(std::move(normal));
}

StatusOr<SecretPath> SecretPath::Child(std::string_view relative) const {
  VC_ASSIGN_OR_RETURN(const std::string normal, Normalize(relative, "secret path"));
  return SecretPath(text_ + "/" + normal);
}

}  // namespace vaultcore
