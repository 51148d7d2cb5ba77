#include "loader/template_parse.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace loader::internal {
namespace {

using vaultcore::ErrorKind;
using vaultcore::Printable;
using vaultcore::Status;
using vaultcore::StatusOr;
using vaultcore::ToAbsl;

constexpr int kMaxDepth = 64;
constexpr char kHint[] =
    "templates know secret, index, with, range, if, else, end, variables and fields";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsNameStart(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
}

struct Token {
  enum class Kind { kName, kFields, kVariable, kText, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;                 // name, variable without '$', text without quotes, symbol
  std::vector<std::string> fields;  // kFields, and after kVariable
  Place place;
};

class Parser {
 public:
  Parser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  StatusOr<ParsedTemplate> Parse() {
    ParsedTemplate parsed;
    VC_ASSIGN_OR_RETURN(const Ended ended, ParseBlock(parsed.nodes, 0));
    if (ended != Ended::kAtEndOfText) return Error(action_place_, "there is nothing to end here");
    parsed.paths = std::move(paths_);
    return parsed;
  }

 private:
  // What a block was ended by. At kElse, the rest of the action is not read yet.
  enum class Ended { kAtEndOfText, kAtEnd, kAtElse };

  Status Error(Place place, std::string_view message) const {
    return vaultcore::WithHint(TemplateError(ErrorKind::kUsage, name_, place, message), kHint);
  }

  Place PlaceAt(size_t at) const {
    Place place;
    const std::string_view before = text_.substr(0, at);
    place.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    const size_t line_start = before.rfind('\n');
    place.column =
        static_cast<int>(at - (line_start == std::string_view::npos ? 0 : line_start + 1)) + 1;
    return place;
  }

  // Text up to the next action, and whether there is one; at_ is then behind its "{{".
  bool NextAction(std::vector<Node>& nodes) {
    const size_t open = text_.find("{{", at_);
    std::string_view text = text_.substr(at_, open - at_);
    if (trim_next_) {
      while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    }
    trim_next_ = false;
    const bool found = open != std::string_view::npos;
    if (found) {
      action_place_ = PlaceAt(open);
      at_ = open + 2;
      // A trim marker is a dash with white space: {{-3}} would be a number.
      if (at_ + 1 < text_.size() && text_[at_] == '-' && IsSpace(text_[at_ + 1])) {
        ++at_;
        while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
      }
    } else {
      at_ = text_.size();
    }
    if (!text.empty()) {
      Node& node = nodes.emplace_back();
      node.text = std::string(text);
    }
    return found;
  }

  // Skips white space; true where the action is closed, which is then behind us.
  bool AtClose() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("}}")) {
      at_ += 2;
      return true;
    }
    if (rest.starts_with("-}}") && at_ > 0 && IsSpace(text_[at_ - 1])) {
      at_ += 3;
      trim_next_ = true;
      return true;
    }
    return false;
  }

  StatusOr<std::string> QuotedText(Place place) {
    const char quote = text_[at_++];
    std::string text;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      char c = text_[at_];
      if (quote == '"' && c == '\n') break;
      if (quote == '"' && c == '\\') {
        c = ++at_ < text_.size() ? text_[at_] : '\0';
        if (c != '"' && c != '\\') return Error(place, "an escape that is not known");
      }
      text += c;
    }
    if (at_ >= text_.size() || text_[at_] != quote) return Error(place, "the text does not end");
    ++at_;
    return text;
  }

  std::string Name() {
    const size_t start = at_;
    while (at_ < text_.size() && IsNameCharacter(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  // ".a.b" from at_; a single "." gives none.
  StatusOr<std::vector<std::string>> Fields(Place place) {
    std::vector<std::string> fields;
    while (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (at_ >= text_.size() || !IsNameStart(text_[at_])) {
        if (fields.empty()) break;
        return Error(place, "a field name is missing after \".\"");
      }
      fields.push_back(Name());
    }
    return fields;
  }

  // The next token of the action; kEnd when it is closed.
  StatusOr<Token> Next() {
    if (peeked_) return *std::exchange(peeked_, std::nullopt);
    Token token;
    const bool closed = AtClose();
    token.place = PlaceAt(std::min(at_, text_.size()));
    if (closed) return token;
    if (at_ >= text_.size()) return Error(action_place_, "\"{{\" without \"}}\"");
    const char c = text_[at_];
    if (c == '"' || c == '`') {
      token.kind = Token::Kind::kText;
      VC_ASSIGN_OR_RETURN(token.text, QuotedText(token.place));
    } else if (c == '.') {
      token.kind = Token::Kind::kFields;
      VC_ASSIGN_OR_RETURN(token.fields, Fields(token.place));
    } else if (c == '$') {
      ++at_;
      token.kind = Token::Kind::kVariable;
      token.text = Name();
      VC_ASSIGN_OR_RETURN(token.fields, Fields(token.place));
    } else if (IsNameStart(c)) {
      token.kind = Token::Kind::kName;
      token.text = Name();
    } else {
      token.kind = Token::Kind::kSymbol;
      token.text = text_.substr(at_).starts_with(":=") ? ":=" : std::string(1, c);
      at_ += token.text.size();
    }
    return token;
  }

  StatusOr<Expression> ParseExpression(int depth) {
    VC_ASSIGN_OR_RETURN(Token token, Next());
    return ParseExpressionFrom(std::move(token), depth);
  }

  StatusOr<Expression> ParseExpressionFrom(Token token, int depth) {
    if (depth > kMaxDepth) return Error(token.place, "nested too deeply");
    Expression expression;
    expression.place = token.place;
    switch (token.kind) {
      case Token::Kind::kFields:
        expression.fields = std::move(token.fields);
        return expression;
      case Token::Kind::kVariable:
        expression.kind = Expression::Kind::kVariable;
        if (!token.text.empty() &&
            std::find(scope_.begin(), scope_.end(), token.text) == scope_.end()) {
          return Error(token.place, absl::StrCat("there is no variable $", token.text));
        }
        expression.name = std::move(token.text);
        expression.fields = std::move(token.fields);
        return expression;
      case Token::Kind::kText:
        expression.kind = Expression::Kind::kText;
        expression.name = std::move(token.text);
        return expression;
      case Token::Kind::kName:
        return ParseCall(token, depth);
      case Token::Kind::kSymbol:
        if (token.text == "(") return ParseParenthesis(token.place, depth);
        return Error(token.place, absl::StrCat("\"", Printable(token.text),
                                               "\" is not possible "
                                               "here"));
      case Token::Kind::kEnd:
        break;
    }
    return Error(action_place_, "something is missing before \"}}\"");
  }

  StatusOr<Expression> ParseParenthesis(Place place, int depth) {
    Expression expression;
    expression.kind = Expression::Kind::kInner;
    expression.place = place;
    VC_ASSIGN_OR_RETURN(Expression inner, ParseExpression(depth + 1));
    expression.inner = std::make_unique<Expression>(std::move(inner));
    VC_ASSIGN_OR_RETURN(const Token close, Next());
    if (close.kind != Token::Kind::kSymbol || close.text != ")") {
      return Error(place, "\"(\" without \")\"");
    }
    VC_ASSIGN_OR_RETURN(expression.fields, Fields(place));
    return expression;
  }

  StatusOr<Expression> ParseCall(const Token& name, int depth) {
    Expression expression;
    expression.place = name.place;
    if (name.text == "secret") {
      expression.kind = Expression::Kind::kSecret;
      VC_ASSIGN_OR_RETURN(Token path, Next());
      if (path.kind != Token::Kind::kText || path.text.empty()) {
        return Error(name.place, "secret needs a path in quotes");
      }
      if (std::find(paths_.begin(), paths_.end(), path.text) == paths_.end()) {
        paths_.push_back(path.text);
      }
      expression.name = std::move(path.text);
      return expression;
    }
    if (name.text == "index") {
      expression.kind = Expression::Kind::kIndex;
      VC_ASSIGN_OR_RETURN(Expression inner, ParseExpression(depth + 1));
      expression.inner = std::make_unique<Expression>(std::move(inner));
      VC_ASSIGN_OR_RETURN(Token key, Next());
      if (key.kind != Token::Kind::kText) {
        return Error(name.place, "index needs a value and a key in quotes");
      }
      expression.name = std::move(key.text);
      return expression;
    }
    return Error(name.place, absl::StrCat("unknown function \"", Printable(name.text, 60), "\""));
  }

  // The end of an action whose expression has been read.
  Status ExpectClose() {
    VC_ASSIGN_OR_RETURN(const Token token, Next());
    if (token.kind == Token::Kind::kEnd) return absl::OkStatus();
    if (token.kind == Token::Kind::kSymbol && token.text == "|") {
      VC_ASSIGN_OR_RETURN(const Token function, Next());
      return Error(function.place,
                   absl::StrCat("unknown function \"", Printable(function.text, 60), "\""));
    }
    return Error(token.place, "\"}}\" is missing here");
  }

  // "$a :=" or "$a, $b :=" before the expression of with, if and range.
  StatusOr<std::vector<std::string>> ParseVariables(size_t max) {
    std::vector<std::string> names;
    const size_t start = at_;
    for (;;) {
      VC_ASSIGN_OR_RETURN(const Token variable, Next());
      if (variable.kind != Token::Kind::kVariable || !variable.fields.empty() ||
          variable.text.empty()) {
        break;
      }
      VC_ASSIGN_OR_RETURN(const Token symbol, Next());
      names.push_back(variable.text);
      if (symbol.kind == Token::Kind::kSymbol && symbol.text == "," && names.size() < max) continue;
      if (symbol.kind == Token::Kind::kSymbol && symbol.text == ":=") return names;
      break;
    }
    // It was an expression.
    at_ = start;
    trim_next_ = false;
    return std::vector<std::string>();
  }

  Status ParseControl(Node::Kind kind, Node& node, int depth) {
    const Place opened = action_place_;
    node.kind = kind;
    VC_ASSIGN_OR_RETURN(node.variables, ParseVariables(kind == Node::Kind::kRange ? 2 : 1));
    VC_ASSIGN_OR_RETURN(node.expression, ParseExpression(depth));
    VC_RETURN_IF_ERROR(ExpectClose());
    scope_.insert(scope_.end(), node.variables.begin(), node.variables.end());
    VC_ASSIGN_OR_RETURN(Ended ended, ParseBlock(node.body, depth + 1));
    if (ended == Ended::kAtElse) {
      VC_ASSIGN_OR_RETURN(Token token, Next());
      if (token.kind == Token::Kind::kName && token.text == "if") {
        // One "end" closes the whole chain.
        VC_RETURN_IF_ERROR(ParseControl(Node::Kind::kIf, node.otherwise.emplace_back(), depth + 1));
        ended = Ended::kAtEnd;
      } else {
        peeked_ = std::move(token);
        VC_RETURN_IF_ERROR(ExpectClose());
        VC_ASSIGN_OR_RETURN(ended, ParseBlock(node.otherwise, depth + 1));
      }
    }
    scope_.resize(scope_.size() - node.variables.size());
    if (ended == Ended::kAtEnd) return absl::OkStatus();
    return Error(opened, ended == Ended::kAtElse ? "two \"else\" for this" : "this has no \"end\"");
  }

  StatusOr<Ended> ParseBlock(std::vector<Node>& nodes, int depth) {
    if (depth > kMaxDepth) return Error(action_place_, "nested too deeply");
    while (NextAction(nodes)) {
      if (SkipComment()) continue;
      VC_ASSIGN_OR_RETURN(Token token, Next());
      const std::string word = token.kind == Token::Kind::kName ? token.text : "";
      if (word == "end") {
        VC_RETURN_IF_ERROR(ExpectClose());
        return Ended::kAtEnd;
      }
      if (word == "else") return Ended::kAtElse;
      Node& node = nodes.emplace_back();
      if (word == "with" || word == "range" || word == "if") {
        const auto kind = word == "with"    ? Node::Kind::kWith
                          : word == "range" ? Node::Kind::kRange
                                            : Node::Kind::kIf;
        VC_RETURN_IF_ERROR(ParseControl(kind, node, depth));
        continue;
      }
      node.kind = Node::Kind::kOutput;
      VC_ASSIGN_OR_RETURN(node.expression, ParseExpressionFrom(std::move(token), depth));
      VC_RETURN_IF_ERROR(ExpectClose());
    }
    return Ended::kAtEndOfText;
  }

  bool SkipComment() {
    size_t start = at_;
    while (start < text_.size() && IsSpace(text_[start])) ++start;
    if (!text_.substr(start).starts_with("/*")) return false;
    const size_t end = text_.find("*/", start + 2);
    if (end == std::string_view::npos) return false;
    at_ = end + 2;
    return AtClose();
  }

  const std::string_view text_;
  const std::string_view name_;
  size_t at_ = 0;
  bool trim_next_ = false;
  Place action_place_;
  std::optional<Token> peeked_;
  std::vector<std::string> scope_;
  std::vector<std::string> paths_;
};

}  // namespace

StatusOr<ParsedTemplate> ParseTemplate(std::string_view text, std::string_view name) {
  return Parser(text, name).Parse();
}

Status TemplateError(ErrorKind kind, std::string_view name, Place place, std::string_view message) {
  return vaultcore::MakeError(
      kind, absl::StrCat(ToAbsl(name), ":", place.line, ":", place.column, ": ", ToAbsl(message)));
}

}  // namespace loader::internal
