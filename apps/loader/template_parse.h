// The syntax tree of a template, and how it comes about. Internal to template.cc.

#ifndef APPS_LOADER_TEMPLATE_PARSE_H_
#define APPS_LOADER_TEMPLATE_PARSE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/base/status.h"

namespace loader::internal {

struct Place {
  int line = 1;
  int column = 1;
};

struct Expression {
  enum class Kind {
    kDot,       // what `with` or `range` made current
    kVariable,  // $name; `name` empty: the root
    kSecret,    // secret "name"
    kText,      // "name"
    kIndex,     // index `inner` "name"
    kInner,     // ( `inner` )
  };

  Kind kind = Kind::kDot;
  std::string name;
  std::unique_ptr<Expression> inner;
  std::vector<std::string> fields;  // .a.b after it
  Place place;
};

struct Node {
  enum class Kind { kText, kOutput, kWith, kRange, kIf };

  Kind kind = Kind::kText;
  std::string text;  // kText
  Expression expression;
  std::vector<std::string>
      variables;  // kWith and kIf: at most one; kRange: key and value, or value
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

struct ParsedTemplate {
  std::vector<Node> nodes;
  std::vector<std::string> paths;  // of `secret`, distinct
};

// Errors: kUsage, "`name`:line:column: ...".
vaultcore::StatusOr<ParsedTemplate> ParseTemplate(std::string_view text, std::string_view name);

// An error with its place.
vaultcore::Status TemplateError(vaultcore::ErrorKind kind, std::string_view name, Place place,
                                std::string_view message);

}  // namespace loader::internal

#endif  // APPS_LOADER_TEMPLATE_PARSE_H_
