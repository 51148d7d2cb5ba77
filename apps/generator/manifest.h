// Kubernetes manifests as text: cuts Helm's output into documents and knows where each came from.
// Pure.

#ifndef APPS_GENERATOR_MANIFEST_H_
#define APPS_GENERATOR_MANIFEST_H_

#include <string>
#include <string_view>
#include <vector>

namespace generator {

struct ManifestText {
  std::string_view text;
  std::string_view template_path;  // of Helm's "# Source:" comment; empty when there is none
};

// The documents of `manifests`, whose views they are. A document without a comment of its own came
// from the same template as the one before it: Helm's comment stands apart after an empty one.
std::vector<ManifestText> SplitManifests(std::string_view manifests);

// "acme/charts/core/charts/accounts/templates/x.yaml": {"acme", "core", "accounts"}.
std::vector<std::string> ChartOf(std::string_view template_path);

// The document's top-level "kind: X" without parsing it: enough to leave out those of no interest.
// Empty when there is none that can be found so.
std::string_view QuickKind(std::string_view document);

}  // namespace generator

#endif  // APPS_GENERATOR_MANIFEST_H_
