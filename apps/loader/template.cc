#include "loader/template.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "loader/template_parse.h"
#include "vaultcore/api/kv.h"

namespace loader {
namespace {

using internal::Expression;
using internal::Node;
using internal::ParsedTemplate;
using internal::TemplateError;
using vaultcore::ErrorKind;
using vaultcore::Json;
using vaultcore::Printable;
using vaultcore::Secret;
using vaultcore::SecretBuilder;
using vaultcore::Status;
using vaultcore::StatusOr;
using AnswerOf = std::function<const Json&(std::string_view path)>;

// What an expression stands for. The answers outlive it.
struct Value {
  enum class Kind {
    kNothing,  // a field that is not there
    kJson,
    kText,    // a key, or a text of the template
    kAnswer,  // of `secret`: has the one field Data
  };
  Kind kind = Kind::kNothing;
  const Json* json = nullptr;
  std::string_view text;

  static Value Of(const Json& json) { return {.kind = Kind::kJson, .json = &json, .text = {}}; }
  static Value Of(std::string_view text) { return {.kind = Kind::kText, .text = text}; }
};

// As in Go: nothing, false, zero and what is empty are false.
bool IsTrue(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNothing:
      return false;
    case Value::Kind::kText:
      return !value.text.empty();
    case Value::Kind::kAnswer:
      return true;
    case Value::Kind::kJson:
      break;
  }
  const Json& json = *value.json;
  switch (json.type()) {
    case Json::Type::kNull:
      return false;
    case Json::Type::kBool:
      return json.AsBool();
    case Json::Type::kNumber: {
      const std::string_view text = json.AsText();
      const std::string_view digits = text.substr(0, text.find_first_of("eE"));
      return digits.find_first_of("123456789") != std::string_view::npos;
    }
    case Json::Type::kString:
      return !json.AsText().empty();
    case Json::Type::kArray:
      return !json.items().empty();
    case Json::Type::kObject:
      return !json.members().empty();
  }
  return false;
}

class Renderer {
 public:
  Renderer(std::string_view name, const AnswerOf& answer_of) : name_(name), answer_of_(answer_of) {}

  Status Write(const std::vector<Node>& nodes, const Value& dot) {
    for (const Node& node : nodes) VC_RETURN_IF_ERROR(WriteNode(node, dot));
    return absl::OkStatus();
  }
  Secret Take() { return out_.Take(); }

 private:
  struct Binding {
    std::string_view name;
    Value value;
  };

  StatusOr<Value> Evaluate(const Expression& expression, const Value& dot) {
    Value value = dot;
    switch (expression.kind) {
      case Expression::Kind::kDot:
        break;
      case Expression::Kind::kVariable: {
        value = Value();  // "$" alone: what the template began with, which is nothing
        const auto found = std::find_if(
            bindings_.rbegin(), bindings_.rend(),
            [&expression](const Binding& known) { return known.name == expression.name; });
        if (found != bindings_.rend()) value = found->value;
        break;
      }
      case Expression::Kind::kSecret:
        value = {.kind = Value::Kind::kAnswer, .json = &answer_of_(expression.name), .text = {}};
        break;
      case Expression::Kind::kText:
        value = Value::Of(expression.name);
        break;
      case Expression::Kind::kIndex: {
        VC_ASSIGN_OR_RETURN(const Value inner, Evaluate(*expression.inner, dot));
        VC_ASSIGN_OR_RETURN(value, FieldOf(inner, expression.name, expression));
        break;
      }
      case Expression::Kind::kInner: {
        VC_ASSIGN_OR_RETURN(value, Evaluate(*expression.inner, dot));
        break;
      }
    }
    for (const std::string& field : expression.fields) {
      VC_ASSIGN_OR_RETURN(value, FieldOf(value, field, expression));
    }
    return value;
  }

  StatusOr<Value> FieldOf(const Value& value, std::string_view field,
                          const Expression& expression) const {
    if (value.kind == Value::Kind::kNothing) return value;
    if (value.kind == Value::Kind::kAnswer) {
      if (field == "Data") return Value::Of(*value.json);
      return TemplateError(
          ErrorKind::kRejected, name_, expression.place,
          absl::StrCat("an answer of secret has no field ", Printable(field, 60), ", only Data"));
    }
    if (value.kind == Value::Kind::kJson && value.json->is_object()) {
      return value.json->Contains(field) ? Value::Of((*value.json)[field]) : Value();
    }
    if (value.kind == Value::Kind::kJson && value.json->is_null()) return Value();
    return TemplateError(ErrorKind::kRejected, name_, expression.place,
                         absl::StrCat("what is no object has no field ", Printable(field, 60)));
  }

  // For the message: the last name on the way to the value.
  static std::string NameOf(const Expression& expression) {
    if (!expression.fields.empty()) return Printable(expression.fields.back(), 60);
    return Printable(expression.name, 60);
  }

  Status WriteNode(const Node& node, const Value& dot) {
    if (node.kind == Node::Kind::kText) {
      out_.Append(node.text);
      return absl::OkStatus();
    }
    VC_ASSIGN_OR_RETURN(const Value value, Evaluate(node.expression, dot));
    switch (node.kind) {
      case Node::Kind::kText:
        break;
      case Node::Kind::kOutput:
        return WriteValue(value, node.expression);
      case Node::Kind::kRange:
        return WriteRange(node, value, dot);
      case Node::Kind::kWith:
      case Node::Kind::kIf: {
        if (!IsTrue(value)) return Write(node.otherwise, dot);
        const size_t bound = bindings_.size();
        if (!node.variables.empty()) bindings_.push_back({node.variables[0], value});
        const Status status = Write(node.body, node.kind == Node::Kind::kWith ? value : dot);
        bindings_.resize(bound);
        return status;
      }
    }
    return absl::OkStatus();
  }

  Status WriteValue(const Value& value, const Expression& expression) {
    switch (value.kind) {
      case Value::Kind::kText:
        out_.Append(value.text);
        return absl::OkStatus();
      case Value::Kind::kJson:
        out_.Append(vaultcore::KvText(*value.json).Reveal());
        return absl::OkStatus();
      case Value::Kind::kAnswer:
        return TemplateError(ErrorKind::kRejected, name_, expression.place,
                             "an answer of secret cannot be written, only its fields");
      case Value::Kind::kNothing:
        break;
    }
    return vaultcore::WithHint(
        TemplateError(ErrorKind::kNotFound, name_, expression.place,
                      absl::StrCat("there is no field ", NameOf(expression))),
        "compare with the entry's keys; on KV version 2 they are below .Data.data");
  }

  Status WriteRange(const Node& node, const Value& value, const Value& dot) {
    if (!IsTrue(value)) return Write(node.otherwise, dot);
    const auto write_one = [this, &node](const Value& key, const Value& item) {
      const size_t bound = bindings_.size();
      if (node.variables.size() == 2) bindings_.push_back({node.variables[0], key});
      if (!node.variables.empty()) bindings_.push_back({node.variables.back(), item});
      const Status status = Write(node.body, item);
      bindings_.resize(bound);
      return status;
    };
    if (value.kind == Value::Kind::kJson && value.json->is_object()) {
      std::vector<const Json::Member*> members;
      members.reserve(value.json->members().size());
      for (const Json::Member& member : value.json->members()) members.push_back(&member);
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
      for (const Json::Member* member : members) {
        VC_RETURN_IF_ERROR(write_one(Value::Of(member->first), Value::Of(member->second)));
      }
      return absl::OkStatus();
    }
    if (value.kind == Value::Kind::kJson && value.json->is_array()) {
      size_t index = 0;
      for (const Json& item : value.json->items()) {
        const std::string key = std::to_string(index++);
        VC_RETURN_IF_ERROR(write_one(Value::Of(key), Value::Of(item)));
      }
      return absl::OkStatus();
    }
    return TemplateError(ErrorKind::kRejected, name_, node.expression.place,
                         "range needs an object or a list");
  }

  const std::string_view name_;
  const AnswerOf& answer_of_;
  std::vector<Binding> bindings_;
  SecretBuilder out_;
};

}  // namespace

struct Template::Impl {
  std::string name;
  ParsedTemplate parsed;
};

Template::Template(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

StatusOr<Template> Template::Parse(std::string_view text, std::string name) {
  VC_ASSIGN_OR_RETURN(ParsedTemplate parsed, internal::ParseTemplate(text, name));
  auto impl = std::make_unique<Impl>();
  impl->name = std::move(name);
  impl->parsed = std::move(parsed);
  return Template(std::move(impl));
}

const std::vector<std::string>& Template::paths() const { return impl_->parsed.paths; }

StatusOr<Secret> Template::Render(const AnswerOf& answer_of) const {
  Renderer renderer(impl_->name, answer_of);
  VC_RETURN_IF_ERROR(renderer.Write(impl_->parsed.nodes, Value()));
  return renderer.Take();
}

}  // namespace loader
