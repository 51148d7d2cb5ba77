#include "vaultcore/config/yaml.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <iterator>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "config/yaml_text.h"

namespace vaultcore {
namespace {

// Thrown through yaml-cpp, which has no other way to be stopped; never leaves this file.
struct Refusal {
  YAML::Mark mark;
  std::string_view reason;
  std::string_view hint = {};
};

constexpr std::string_view kTooDeep = "nested too deeply";
constexpr std::string_view kKeyNotScalar = "a key that is not a scalar";

Status ErrorAt(std::string_view source_name, int line, int column, std::string_view reason,
               std::string_view hint = {}) {
  std::string message(source_name);
  if (line > 0) {
    message.append(":").append(std::to_string(line)).append(":").append(std::to_string(column));
  }
  message.append(": ").append(reason);
  return MakeError(ErrorKind::kUsage, message, hint);
}

// yaml-cpp appends text of the document to some of its messages, so what it says is replaced by
// words of our own.
struct ParserWords {
  const char* theirs;
  std::string_view reason;
  std::string_view hint = {};
};
constexpr std::string_view kQuoteHint =
    "a value that holds \": \" or starts with one of {}[]&*!|>%@` needs quotes";
constexpr std::string_view kIndentHint =
    "compare the indentation with the lines above; a value that holds \": \" needs quotes";

const ParserWords kTabInIndentation = {YAML::ErrorMsg::TAB_IN_INDENTATION,
                                       "a tab in the indentation", "indent with spaces"};

const ParserWords& WordsFor(const YAML::Exception& error) {
  namespace msg = YAML::ErrorMsg;
  static const std::array<ParserWords, 31> kWords = {{
      {msg::YAML_DIRECTIVE_ARGS, "a %YAML directive needs exactly one version"},
      {msg::YAML_VERSION, "a %YAML directive has a version that is not a number"},
      {msg::YAML_MAJOR_VERSION, "the %YAML version is too new"},
      {msg::REPEATED_YAML_DIRECTIVE, "a second %YAML directive"},
      {msg::TAG_DIRECTIVE_ARGS, "a %TAG directive needs a handle and a prefix"},
      {msg::REPEATED_TAG_DIRECTIVE, "the same %TAG directive twice"},
      {msg::CHAR_IN_TAG_HANDLE, "a character that a tag cannot have", kQuoteHint},
      {msg::TAG_WITH_NO_SUFFIX, "a tag without a name", kQuoteHint},
      {msg::END_OF_VERBATIM_TAG, "a tag \"!<\" without \">\"", kQuoteHint},
      {msg::END_OF_MAP_FLOW, "a \"{\" without \"}\""},
      {msg::END_OF_MAP, "the map ends here, but something follows", kIndentHint},
      {msg::END_OF_SEQ_FLOW, "a \"[\" without \"]\""},
      {msg::END_OF_SEQ, "the list ends here, but something follows", kIndentHint},
      {msg::MULTIPLE_TAGS, "two tags for one value"},
      {msg::MULTIPLE_ANCHORS, "two anchors for one value"},
      {msg::MULTIPLE_ALIASES, "two aliases for one value"},
      {msg::ALIAS_CONTENT, "an alias with content of its own", kQuoteHint},
      {msg::INVALID_HEX, "an escape \"\\x\" or \"\\u\" without its hexadecimal digits"},
      {msg::INVALID_UNICODE, "an escape \"\\u\" that is not a character"},
      {msg::INVALID_ESCAPE, "an unknown escape after \"\\\"",
       "in double quotes a backslash is written \"\\\\\"; single quotes have no escapes"},
      {msg::DOC_IN_SCALAR, "\"---\" or \"...\" inside quotes: is the closing quote missing?"},
      {msg::EOF_IN_SCALAR, "the text ends inside quotes: the closing quote is missing"},
      kTabInIndentation,
      {msg::FLOW_END, "a \"]\" or \"}\" that closes nothing"},
      {msg::BLOCK_ENTRY, "a list entry \"- \" is not possible here", kIndentHint},
      {msg::MAP_KEY, "a key is not possible here", kIndentHint},
      {msg::MAP_VALUE, "a \":\" is not possible here", kIndentHint},
      {msg::UNKNOWN_ANCHOR, "an alias whose anchor is not defined", kQuoteHint},
      {msg::CHAR_IN_ALIAS, "a character that an alias cannot have", kQuoteHint},
      {msg::CHAR_IN_ANCHOR, "a character that an anchor cannot have", kQuoteHint},
      {msg::CHAR_IN_BLOCK, "a character that is not possible after \"|\" or \">\""},
  }};
  static const ParserWords kDepth = {"", kTooDeep};
  static const ParserWords kUnknown = {"", "this is not valid YAML", kQuoteHint};
  if (dynamic_cast<const YAML::DeepRecursion*>(&error) != nullptr) return kDepth;
  const auto found = std::find_if(kWords.begin(), kWords.end(), [&error](const ParserWords& words) {
    return error.msg.rfind(words.theirs, 0) == 0;
  });
  return found == kWords.end() ? kUnknown : *found;
}

// Reads the caller's text in place.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

// What yaml-cpp has thrown, in our words.
Status ParserError(std::string_view text, std::string_view source_name,
                   const YAML::Exception& error) {
  // It does not always say so when a tab is the cause.
  const std::string_view line = YamlText(text).From(error.mark.line, 0);
  const size_t ink = line.find_first_not_of(" \t");
  if (const size_t tab = line.substr(0, ink).find('\t'); tab != std::string_view::npos) {
    return ErrorAt(source_name, error.mark.line + 1, static_cast<int>(tab) + 1,
                   kTabInIndentation.reason, kTabInIndentation.hint);
  }
  const ParserWords& words = WordsFor(error);
  return ErrorAt(source_name, error.mark.line + 1, error.mark.column + 1, words.reason, words.hint);
}

}  // namespace

// Turns yaml-cpp's events into a tree, within the limits.
class YamlBuilder final : public YAML::EventHandler {
 public:
  YamlBuilder(std::string_view text, const YamlLimits& limits) : limits_(limits), text_(text) {}

  YamlNode TakeDocument() { return std::move(root_); }

  // To be called at the end of the text. yaml-cpp notices that quotes are not closed only where no
  // newline ends the text.
  void CheckEnd() {
    if (!last_scalar_.is_null() &&
        HasOpenQuotes(text_.From(last_scalar_.line, last_scalar_.column))) {
      throw Refusal{last_scalar_, "quotes that begin here are not closed"};
    }
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // Where the indentation of a list or map goes wrong, yaml-cpp begins another document; and at
    // some characters it begins empty ones for ever.
    if (!document_.is_null()) {
      const std::string_view rest = text_.From(mark.line, mark.column);
      const bool marked =
          IsDocumentMarker(rest, "---") || IsDocumentMarker(text_.LineBefore(rest), "...");
      if (!marked || mark.pos <= document_.pos) {
        throw Refusal{mark, "the document ends here, but something follows", kIndentHint};
      }
    }
    document_ = mark;
    open_.clear();
    anchors_.clear();
    nodes_ = 0;
    root_ = YamlNode();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (ExpectsKey()) throw Refusal{mark, "an empty key", kQuoteHint};
    if (!open_.empty()) CheckEmptyValue(mark);
    Complete(NewNode(YamlNode::Type::kNull, mark), anchor, 1, 1);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    last_scalar_ = mark;
    if (tag == "tag:yaml.org,2002:binary") {
      throw Refusal{mark, "the tag !!binary is not supported", "write the text itself"};
    }
    // Quotes come as "!", their absence as "?"; a tag of a type stands for the absence.
    const bool plain = tag == "?" || tag == "tag:yaml.org,2002:bool" ||
                       tag == "tag:yaml.org,2002:int" || tag == "tag:yaml.org,2002:float";
    // "\0" in double quotes, the only way left to get one in.
    if (value.find('\0') != std::string::npos) throw Refusal{mark, "a NUL character in a value"};
    if (ExpectsKey()) {
      if (anchor != 0) Remember(NewScalar(mark, value, plain), anchor, 1, 1);
      SetKey(mark, value, plain);
      return;
    }
    Complete(NewScalar(mark, value, plain), anchor, 1, 1);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(YamlNode::Type::kSequence, mark, anchor, style);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(YamlNode::Type::kMap, mark, anchor, style);
  }
  void OnMapEnd() override {
    if (open_.back().merges) ExpandMergeKey(open_.back().node);
    Close();
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!limits_.allow_aliases) throw Refusal{mark, "an alias, which is not possible here"};
    if (anchor >= anchors_.size() || anchors_[anchor].nodes == 0) {
      throw Refusal{mark, "an alias inside the value that it stands for"};
    }
    const Anchor& source = anchors_[anchor];
    if (ExpectsKey()) {
      if (!source.node.is_scalar()) throw Refusal{mark, kKeyNotScalar};
      SetKey(mark, source.node.text(), source.node.plain());
      return;
    }
    Spend(mark, source.nodes);
    CheckDepth(mark, source.height);
    // Copies keep the position of what they were copied from: that is where an error is repaired.
    Complete(source.node, 0, source.nodes, source.height);
  }

 private:
  // A map or sequence that has begun and not ended.
  struct OpenNode {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    size_t nodes = 1;
    int height = 1;
    bool flow = false;                              // written with brackets or braces
    bool has_key = false;                           // a key came, and its value has not
    bool merges = false;                            // one of the keys is "<<"
    YamlNode::Member member;                        // what the key is kept in
    std::unordered_map<std::string, size_t> index;  // of members; only for big maps
  };

  // A finished node that aliases may name; `nodes` is 0 until then.
  struct Anchor {
    YamlNode node;
    size_t nodes = 0;
    int height = 0;
  };

  static constexpr std::string_view kMergeKey = "<<";
  static constexpr size_t kBigMap = 16;

  bool ExpectsKey() const {
    return !open_.empty() && open_.back().node.is_map() && !open_.back().has_key;
  }

  void Spend(const YAML::Mark& mark, size_t nodes) {
    if (nodes > limits_.max_nodes - nodes_) {
      throw Refusal{mark, "too many values in one document, aliases expanded"};
    }
    nodes_ += nodes;
  }

  void CheckDepth(const YAML::Mark& mark, int height) const {
    if (static_cast<int>(open_.size()) + height > limits_.max_depth) {
      throw Refusal{mark, kTooDeep};
    }
  }

  YamlNode NewNode(YamlNode::Type type, const YAML::Mark& mark) {
    Spend(mark, 1);
    CheckDepth(mark, 1);
    YamlNode node;
    node.type_ = type;
    node.line_ = mark.line + 1;
    node.column_ = mark.column + 1;
    return node;
  }

  YamlNode NewScalar(const YAML::Mark& mark, const std::string& text, bool plain) {
    YamlNode node = NewNode(YamlNode::Type::kScalar, mark);
    node.text_ = text;
    node.plain_ = plain;
    return node;
  }

  void Open(YamlNode::Type type, const YAML::Mark& mark, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    if (ExpectsKey()) {
      throw Refusal{mark, kKeyNotScalar,
                    "a template expression \"{{ }}\" that was not rendered looks like this"};
    }
    YamlNode node = NewNode(type, mark);
    OpenNode& open = open_.emplace_back();
    open.node = std::move(node);
    open.anchor = anchor;
    open.flow = style == YAML::EmitterStyle::Flow;
  }

  // yaml-cpp fills in nulls where the text has nothing at all: for a key without ":" at the end of
  // a block, and between the commas of "[a, , b]".
  void CheckEmptyValue(const YAML::Mark& mark) {
    const OpenNode& open = open_.back();
    if (open.node.is_sequence()) {
      if (open.flow && text_.From(mark.line, mark.column).substr(0, 1) == ",") {
        throw Refusal{mark, "an empty entry in a list"};
      }
      return;
    }
    const int line = open.member.line - 1;
    const int column = open.member.column - 1;
    const bool explicit_key = text_.InkBefore(text_.From(line, column)) == '?';
    if (!open.flow && !explicit_key &&
        !HasColon(text_.From(line, column), open.member.key.size())) {
      YAML::Mark key = mark;
      key.line = line;
      key.column = column;
      throw Refusal{key, "a key without \":\"", "write KEY: VALUE, with a space after the colon"};
    }
  }

  void Close() {
    OpenNode closed = std::move(open_.back());
    open_.pop_back();
    Complete(std::move(closed.node), closed.anchor, closed.nodes, closed.height);
  }

  void SetKey(const YAML::Mark& mark, const std::string& key, bool plain) {
    Spend(mark, 1);
    OpenNode& map = open_.back();
    if (!limits_.allow_duplicate_keys && FindMember(map, key) != nullptr) {
      throw Refusal{mark, "the same key twice in one map"};
    }
    if (key == kMergeKey) map.merges = plain;
    ++map.nodes;
    map.member.key = key;
    map.member.line = mark.line + 1;
    map.member.column = mark.column + 1;
    map.has_key = true;
  }

  // Puts a finished node where it belongs.
  void Complete(YamlNode node, YAML::anchor_t anchor, size_t nodes, int height) {
    if (anchor != 0) Remember(node, anchor, nodes, height);
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    OpenNode& parent = open_.back();
    parent.nodes += nodes;
    parent.height = std::max(parent.height, height + 1);
    if (parent.node.is_sequence()) {
      parent.node.items_.push_back(std::move(node));
      return;
    }
    parent.has_key = false;
    parent.member.value = std::move(node);
    if (YamlNode::Member* const same = FindMember(parent, parent.member.key); same != nullptr) {
      *same = std::move(parent.member);
    } else {
      AddMember(parent, std::move(parent.member));
    }
  }

  // Keeps a copy for the aliases to come; it takes memory as an expanded alias does.
  void Remember(const YamlNode& node, YAML::anchor_t anchor, size_t nodes, int height) {
    if (!limits_.allow_aliases) return;
    YAML::Mark mark;
    mark.line = node.line() - 1;
    mark.column = node.column() - 1;
    Spend(mark, nodes);
    if (anchor >= anchors_.size()) anchors_.resize(anchor + 1);
    anchors_[anchor] = Anchor{node, nodes, height};
  }

  static YamlNode::Member* FindMember(OpenNode& map, const std::string& key) {
    std::vector<YamlNode::Member>& members = map.node.members_;
    if (members.size() > kBigMap) {
      const auto found = map.index.find(key);
      return found == map.index.end() ? nullptr : &members[found->second];
    }
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&key](const auto& member) { return member.key == key; });
    return found == members.end() ? nullptr : &*found;
  }

  static void AddMember(OpenNode& map, YamlNode::Member member) {
    std::vector<YamlNode::Member>& members = map.node.members_;
    members.push_back(std::move(member));
    if (members.size() <= kBigMap) return;
    for (size_t i = map.index.size(); i < members.size(); ++i) {
      map.index.emplace(members[i].key, i);
    }
  }

  // Replaces "<<" by the members of the map, or of the list of maps, that is its value.
  static void ExpandMergeKey(YamlNode& map) {
    const auto merge = std::find_if(map.members_.begin(), map.members_.end(),
                                    [](const auto& member) { return member.key == kMergeKey; });
    const YamlNode value = std::move(merge->value);
    YAML::Mark mark;
    mark.line = merge->line - 1;
    mark.column = merge->column - 1;
    map.members_.erase(merge);
    std::unordered_set<std::string> taken;
    for (const YamlNode::Member& member : map.members_) taken.insert(member.key);
    const auto merge_one = [&map, &taken, &mark](const YamlNode& from) {
      if (!from.is_map()) {
        throw Refusal{mark, "the merge key \"<<\" needs a map or a list of maps"};
      }
      for (const YamlNode::Member& member : from.members_) {
        if (taken.insert(member.key).second) map.members_.push_back(member);
      }
    };
    if (!value.is_sequence()) return merge_one(value);
    for (const YamlNode& from : value.items()) merge_one(from);
  }

  const YamlLimits& limits_;
  YamlNode root_;
  std::vector<OpenNode> open_;
  YamlText text_;
  YAML::Mark document_ = YAML::Mark::null_mark();     // where the last one began
  YAML::Mark last_scalar_ = YAML::Mark::null_mark();  // where the last one is
  std::vector<Anchor> anchors_;  // by yaml-cpp's number, which counts from 1 in each document
  size_t nodes_ = 0;
};

Status ForEachYamlDocument(std::string_view text, std::string_view source_name,
                           const YamlLimits& limits,
                           const std::function<Status(YamlNode document)>& on_document) {
  if (text.size() > limits.max_bytes) {
    return ErrorAt(source_name, 0, 0, "larger than " + std::to_string(limits.max_bytes) + " bytes");
  }
  if (const auto bad = FindBadCharacter(text)) {
    return ErrorAt(source_name, bad->line, bad->column, bad->reason, bad->hint);
  }
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    YamlBuilder builder(text, limits);
    while (parser.HandleNextDocument(builder)) {
      VC_RETURN_IF_ERROR(on_document(builder.TakeDocument()));
    }
    builder.CheckEnd();
  } catch (const Refusal& refusal) {
    return ErrorAt(source_name, refusal.mark.line + 1, refusal.mark.column + 1, refusal.reason,
                   refusal.hint);
  } catch (const YAML::Exception& error) {
    return ParserError(text, source_name, error);
  }
  return absl::OkStatus();
}

StatusOr<YamlNode> ParseYaml(std::string_view text, std::string_view source_name,
                             const YamlLimits& limits) {
  YamlNode only;
  VC_RETURN_IF_ERROR(
      ForEachYamlDocument(text, source_name, limits, [&only, source_name](YamlNode document) {
        if (document.is_null()) return absl::OkStatus();
        if (!only.is_null()) {
          return ErrorAt(source_name, document.line(), document.column(),
                         "a second document, where only one is possible",
                         "remove the \"---\" between them");
        }
        only = std::move(document);
        return absl::OkStatus();
      }));
  return only;
}

}  // namespace vaultcore
