#include "generator/commands.h"

#include <cctype>

#include "vaultcore/api/json.h"

namespace generator {
namespace {

bool IsBare(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 &&
        std::string_view("_-./:=@%+,").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string ShellWord(std::string_view text) {
  if (IsBare(text)) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::string AddKeyCommand(const Place& place, bool entry_exists, bool is_v1) {
  const std::string mount = ShellWord("-mount=" + place.entry.mount.text());
  const std::string path = ShellWord(place.entry.path.text());
  const std::string key = ShellWord(place.key + "=-");
  if (is_v1 && entry_exists) {
    vaultcore::Json entry = vaultcore::Json::Object();
    entry.Set(place.key, vaultcore::Json::String("VALUE"));
    vaultcore::Json file = vaultcore::Json::Object();
    file.Set(place.entry.ToString(), std::move(entry));
    return "vaultSecretGenerator generate ... --input-json FILE, where FILE holds " +
           std::string(file.Dump().Reveal());
  }
  if (!entry_exists)
    return "vault kv put " + std::string(is_v1 ? "" : "-cas=0 ") + mount + " " + path + " " + key;
  return "vault kv patch -method=rw " + mount + " " + path + " " + key;
}

std::string ReadFileCommand(std::string_view key) {
  std::string lower(key);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.find("pass") != std::string::npos) return "";
  if (lower.find("store") != std::string::npos) return "base64 -w 0 STORE_FILE | ";
  return "cat PEM_FILE | ";
}

std::string ReadSecretCommand(const Source& source) {
  std::string key;
  for (const char c : source.key) {
    if (c == '.') key += '\\';
    key += c;
  }
  return "kubectl get secret " + ShellWord(source.secret.name) + " -n " +
         ShellWord(source.secret.name_space) + " -o " + ShellWord("jsonpath={.data." + key + "}") +
         " | base64 -d";
}

}  // namespace generator
