// TempFolder: a folder of a test's own, removed with everything in it.

#ifndef VAULTCORE_TESTS_SUPPORT_TEMP_FOLDER_H_
#define VAULTCORE_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace vaultcore {

class TempFolder {
 public:
  explicit TempFolder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = (parent / "vaultcore-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string path() const { return path_.string(); }
  std::string operator/(std::string_view relative) const { return (path_ / relative).string(); }

  void Write(std::string_view relative, std::string_view content) const {
    std::filesystem::create_directories((path_ / relative).parent_path());
    std::ofstream(path_ / relative, std::ios::binary) << content;
  }
  // "(absent)" where there is no file.
  std::string Read(std::string_view relative) const {
    std::ifstream file(path_ / relative, std::ios::binary);
    if (!file) return "(absent)";
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // The names in a folder, hidden ones included, sorted.
  std::vector<std::string> Names(std::string_view relative = ".") const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_ / relative)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_TEMP_FOLDER_H_
