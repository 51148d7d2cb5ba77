#include "generator/manifest.h"

#include <algorithm>

namespace generator {
namespace {

// A line that begins with "---" starts a document, in block texts too: there it would be indented.
bool IsSeparator(std::string_view line) {
  return line.starts_with("---") &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

constexpr std::string_view kSource = "# Source: ";

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<ManifestText> SplitManifests(std::string_view manifests) {
  std::vector<ManifestText> documents;
  std::string_view source;
  size_t begin = 0;
  const auto finish = [&](size_t end) {
    const std::string_view text = manifests.substr(begin, end - begin);
    if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      documents.push_back({text, source});
    }
  };
  for (size_t at = 0; at < manifests.size();) {
    const size_t newline = std::min(manifests.find('\n', at), manifests.size());
    const std::string_view line = manifests.substr(at, newline - at);
    const size_t next = std::min(newline + 1, manifests.size());
    if (IsSeparator(line)) {
      finish(at);
      // What follows on the same line belongs to the document.
      begin = at + 3;
    } else if (line.starts_with(kSource)) {
      source = Trimmed(line.substr(kSource.size()));
    }
    at = next;
  }
  finish(manifests.size());
  return documents;
}

std::vector<std::string> ChartOf(std::string_view template_path) {
  std::vector<std::string> chart;
  while (!template_path.empty()) {
    const size_t slash = std::min(template_path.find('/'), template_path.size());
    chart.emplace_back(template_path.substr(0, slash));
    template_path.remove_prefix(std::min(slash + 1, template_path.size()));
    constexpr std::string_view kCharts = "charts/";
    if (!template_path.starts_with(kCharts)) break;
    template_path.remove_prefix(kCharts.size());
  }
  return chart;
}

std::string_view QuickKind(std::string_view document) {
  constexpr std::string_view kKey = "kind:";
  for (size_t at = 0; at < document.size();) {
    const size_t newline = std::min(document.find('\n', at), document.size());
    std::string_view line = document.substr(at, newline - at);
    at = newline + 1;
    if (!line.starts_with(kKey)) continue;
    line.remove_prefix(kKey.size());
    const size_t begin = std::min(line.find_first_not_of(" \t\"'"), line.size());
    const size_t end = std::min(line.find_first_of(" \t\r\"'#", begin), line.size());
    return line.substr(begin, end - begin);
  }
  return {};
}

}  // namespace generator
