// Templates: the part of Go's template language that pod annotations for Vault's agent use.
//
//   {{- with secret "s4e/data/database" -}}
//   export DB_HOST={{ .Data.data.host }}
//   {{- end }}
//
// Understood: text; {{- and -}}; {{/* comments */}}; with, range (over objects by key, over lists
// in order), if, else, else if, end; variables ($x := ...); fields (.Data.data.key, $x.key), index
// X "key", and secret "api/path", whose answer has the field Data. Anything else is an error with
// its place. Pure; thread-safe.

#ifndef APPS_LOADER_TEMPLATE_H_
#define APPS_LOADER_TEMPLATE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/api/json.h"
#include "vaultcore/base/secret.h"
#include "vaultcore/base/status.h"

namespace loader {

class Template {
 public:
  // Errors: kUsage, "`name`:2:5: unknown function ...". No text of the template but names is shown.
  static vaultcore::StatusOr<Template> Parse(std::string_view text, std::string name);
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  // The distinct paths that `secret` names, in order of appearance: "s4e/data/database".
  const std::vector<std::string>& paths() const;

  // `answer_of` gives the "data" of a path's answer; never null for one of paths(). Texts are
  // written as they are, numbers with their exact text, null as nothing, objects and lists as
  // compact JSON. Errors: kNotFound for a field that is written and not there, kRejected for a
  // field of something that has none.
  vaultcore::StatusOr<vaultcore::Secret> Render(
      const std::function<const vaultcore::Json&(std::string_view path)>& answer_of) const;

 private:
  struct Impl;
  explicit Template(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace loader

#endif  // APPS_LOADER_TEMPLATE_H_
