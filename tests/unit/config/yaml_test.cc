#include "vaultcore/config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

YamlNode Parsed(std::string_view text, const YamlLimits& limits = {}) {
  auto node = ParseYaml(text, "f.yaml", limits);
  EXPECT_THAT(node, IsOk());
  return node.ok() ? *std::move(node) : YamlNode();
}

// "f.yaml:3:14: reason", or "" when there is no error.
std::string ErrorOf(std::string_view text, const YamlLimits& limits = {}) {
  const auto node = ParseYaml(text, "f.yaml", limits);
  if (node.ok()) return "";
  EXPECT_EQ(KindOf(node.status()), ErrorKind::kUsage);
  return std::string(MessageOf(node.status()));
}

// One line for a tree: scalars as they are with ' around quoted ones, ~ for null.
std::string Flat(const YamlNode& node) {
  std::string out;
  switch (node.type()) {
    case YamlNode::Type::kNull:
      return "~";
    case YamlNode::Type::kScalar:
      return node.plain() ? node.text() : "'" + node.text() + "'";
    case YamlNode::Type::kSequence:
      for (const YamlNode& item : node.items()) out += (out.empty() ? "" : ", ") + Flat(item);
      return "[" + out + "]";
    case YamlNode::Type::kMap:
      for (const auto& member : node.members()) {
        out += (out.empty() ? "" : ", ") + member.key + ": " + Flat(member.value);
      }
      return "{" + out + "}";
  }
  return out;
}

std::string FlatOf(std::string_view text, const YamlLimits& limits = {}) {
  return Flat(Parsed(text, limits));
}

TEST(YamlTest, ScalarsKeepTheirTextAndTheirQuotes) {
  EXPECT_EQ(FlatOf("a: 010\nb: \"true\"\nc: 'it''s'\nd: 1.10\ne: yes\n"),
            "{a: 010, b: 'true', c: 'it's', d: 1.10, e: yes}");
  EXPECT_EQ(FlatOf("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), "{a: 'x\ny\n', b: 'x y'}");
  EXPECT_EQ(FlatOf("a: \"\\u00e9\\n\\x41\"\n"), "{a: '\xC3\xA9\nA'}");
  EXPECT_EQ(FlatOf("a: !!str 1\nb: !!int 1\nc: !custom x\n"), "{a: '1', b: 1, c: 'x'}");
  EXPECT_EQ(FlatOf("just text"), "just text");
}

TEST(YamlTest, NullIsNothingTildeAndUnquotedNull) {
  EXPECT_EQ(FlatOf("a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\n"),
            "{a: ~, b: ~, c: ~, d: '', e: 'null'}");
  EXPECT_TRUE(Parsed("").is_null());
  EXPECT_TRUE(Parsed("# only a comment\n").is_null());
}

TEST(YamlTest, FlowBlockAndCrLf) {
  EXPECT_EQ(FlatOf("a: {b: [1, 2], c: {}}\r\nd:\r\n- x\r\n- - y\r\n"),
            "{a: {b: [1, 2], c: {}}, d: [x, [y]]}");
  EXPECT_EQ(FlatOf("\xEF\xBB\xBF"
                   "a: 1\n"),
            "{a: 1}");
  EXPECT_EQ(FlatOf("a:\t1\n"), "{a: 1}");
  EXPECT_EQ(FlatOf("%YAML 1.2\n---\na: 1\n...\n"), "{a: 1}");
}

TEST(YamlTest, BooleansOfChartsQuotedOrNot) {
  const YamlNode node = Parsed(
      "- true\n- \"true\"\n- TRUE\n- 'False'\n- yes\n- Off\n- 'yes'\n- 1\n- \"\"\n- ~\n- [true]\n");
  std::vector<int> values;
  for (const YamlNode& item : node.items()) {
    values.push_back(item.AsBool().has_value() ? (*item.AsBool() ? 1 : 0) : -1);
  }
  EXPECT_THAT(values, ElementsAre(1, 1, 1, 0, 1, 0, -1, -1, -1, -1, -1));
}

TEST(YamlTest, AccessNeverFails) {
  const YamlNode node = Parsed("a:\n  b:\n    c: 1\nlist: [x]\n");
  EXPECT_EQ(node["a"]["b"]["c"].text(), "1");
  EXPECT_TRUE(node["x"]["y"]["z"].is_null());
  EXPECT_TRUE(node["list"]["x"].is_null());
  EXPECT_EQ(node.At("a.b.c").text(), "1");
  EXPECT_EQ(Flat(node.At("")), Flat(node));
  EXPECT_TRUE(node.At("a.x.c").is_null());
  EXPECT_TRUE(node.At("a.").is_null());
  EXPECT_TRUE(node.Contains("a"));
  EXPECT_FALSE(node.Contains("b"));
}

TEST(YamlTest, PositionsCountFromOne) {
  const YamlNode node = Parsed("a:\n  b: x\n  c:\n    - y\n");
  EXPECT_EQ(node["a"]["b"].line(), 2);
  EXPECT_EQ(node["a"]["b"].column(), 6);
  EXPECT_EQ(node["a"].members()[1].line, 3);
  EXPECT_EQ(node["a"].members()[1].column, 3);
  EXPECT_EQ(node["a"]["c"].items()[0].line(), 4);
  EXPECT_EQ(YamlNode().line(), 0);
}

TEST(YamlTest, DuplicateKeys) {
  EXPECT_THAT(ErrorOf("a: 1\nb:\n  c: 1\n  c: 2\n"), StartsWith("f.yaml:4:3: the same key twice"));
  EXPECT_THAT(ErrorOf("a: 1\n\"a\": 2\n"), StartsWith("f.yaml:2:1: "));
  EXPECT_THAT(ErrorOf("{a: 1, b: 2, a: 3}"), StartsWith("f.yaml:1:14: "));
  YamlLimits last_wins;
  last_wins.allow_duplicate_keys = true;
  const YamlNode node = Parsed("a: 1\nb: 2\na: 3\n", last_wins);
  EXPECT_EQ(Flat(node), "{a: 3, b: 2}");
  EXPECT_EQ(node.members()[0].line, 3);
}

TEST(YamlTest, DuplicateKeysOfBigMaps) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "key" + std::to_string(i) + ": " + std::to_string(i) + "\n";
  EXPECT_EQ(Parsed(text).members().size(), 1000u);
  for (const int again : {0, 16, 17, 999}) {
    const std::string more = text + "key" + std::to_string(again) + ": new\n";
    EXPECT_THAT(ErrorOf(more), StartsWith("f.yaml:1001:1: the same key twice"));
    YamlLimits last_wins;
    last_wins.allow_duplicate_keys = true;
    const YamlNode node = Parsed(more, last_wins);
    EXPECT_EQ(node.members().size(), 1000u);
    EXPECT_EQ(node["key" + std::to_string(again)].text(), "new");
  }
}

TEST(YamlTest, AliasesAreCopies) {
  const YamlNode node = Parsed("a: &x {p: 1}\nb: *x\nc: [*x, &y v, *y]\n*y : k\n");
  EXPECT_EQ(Flat(node), "{a: {p: 1}, b: {p: 1}, c: [{p: 1}, v, v], v: k}");
  EXPECT_EQ(FlatOf("&k key: 1\nb: *k\n"), "{key: 1, b: key}");
  // An anchor that is set again stands for the new value from there on.
  EXPECT_EQ(FlatOf("a: &x 1\nb: *x\nc: &x 2\nd: *x\n"), "{a: 1, b: 1, c: 2, d: 2}");
  EXPECT_EQ(FlatOf("a: &x\nb: *x\n"), "{a: ~, b: ~}");
}

TEST(YamlTest, AliasesThatCannotBeExpanded) {
  EXPECT_EQ(ErrorOf("a: &x [1, *x]\n"),
            "f.yaml:1:11: an alias inside the value that it stands for");
  EXPECT_THAT(ErrorOf("&x a: *y\n"),
              AllOf(HasSubstr("anchor is not defined"), Not(HasSubstr("y\n"))));
  EXPECT_THAT(ErrorOf("a: &x {b: 1}\n*x : 2\n"), StartsWith("f.yaml:2:1: a key that is not"));
  YamlLimits none;
  none.allow_aliases = false;
  EXPECT_THAT(ErrorOf("a: &x 1\nb: *x\n", none), StartsWith("f.yaml:2:4: an alias"));
  EXPECT_EQ(FlatOf("a: &x 1\n", none), "{a: 1}");
}

TEST(YamlTest, AnchorsEndWithTheirDocument) {
  std::vector<std::string> documents;
  const Status status =
      ForEachYamlDocument("--- &x a\n--- *x\n", "f.yaml", {}, [&documents](YamlNode node) {
        documents.push_back(Flat(node));
        return absl::OkStatus();
      });
  EXPECT_THAT(status, StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(documents, ElementsAre("a"));
}

TEST(YamlTest, BillionLaughsAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int j = 0; j < 9; ++j) text += ", " + below;
    text += "]\n";
  }
  EXPECT_THAT(ErrorOf(text), HasSubstr("too many values"));
}

TEST(YamlTest, DepthCountsThroughAliases) {
  YamlLimits limits;
  limits.max_depth = 4;
  EXPECT_EQ(FlatOf("a: {b: {c: 1}}\n", limits), "{a: {b: {c: 1}}}");
  EXPECT_THAT(ErrorOf("a: {b: {c: {d: 1}}}\n", limits), StartsWith("f.yaml:1:16: nested too"));
  EXPECT_EQ(FlatOf("x: &x {b: 1}\na: {y: *x}\n", limits), "{x: {b: 1}, a: {y: {b: 1}}}");
  EXPECT_THAT(ErrorOf("x: &x {b: 1}\na: {y: {z: *x}}\n", limits),
              StartsWith("f.yaml:2:12: nested"));
}

TEST(YamlTest, DeepNestingNeitherCrashesNorPasses) {
  YamlLimits unlimited;
  unlimited.max_depth = 1'000'000;
  const std::string lists = std::string(100'000, '[') + std::string(100'000, ']');
  std::string maps;
  for (int i = 0; i < 50'000; ++i) maps += "{a: ";
  std::string entries;
  for (int i = 0; i < 100'000; ++i) entries += "- ";
  for (const std::string& text : {lists, maps, entries}) {
    EXPECT_THAT(ErrorOf(text), Not(IsEmpty()));
    EXPECT_THAT(ErrorOf(text, unlimited), Not(IsEmpty()));
  }
  EXPECT_THAT(ErrorOf(entries, unlimited), HasSubstr("nested too deeply"));
}

TEST(YamlTest, Limits) {
  YamlLimits limits;
  limits.max_bytes = 4;
  EXPECT_EQ(FlatOf("a: 1", limits), "{a: 1}");
  EXPECT_EQ(ErrorOf("a: 10", limits), "f.yaml: larger than 4 bytes");
  limits = {};
  limits.max_nodes = 5;  // the map, two keys, two values
  EXPECT_EQ(FlatOf("a: 1\nb: 2\n", limits), "{a: 1, b: 2}");
  EXPECT_THAT(ErrorOf("a: 1\nb: 2\nc: 3\n", limits), StartsWith("f.yaml:3:1: too many values"));
}

TEST(YamlTest, MergeKeys) {
  EXPECT_EQ(FlatOf("base: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3\n  z: 4\n"),
            "{base: {x: 1, y: 2}, a: {y: 3, z: 4, x: 1}}");
  EXPECT_EQ(FlatOf("a:\n  y: 3\n  <<: [{x: 1, y: 1}, {x: 2, z: 2}]\n"), "{a: {y: 3, x: 1, z: 2}}");
  EXPECT_EQ(FlatOf("a: {'<<': 1}\n"), "{a: {<<: 1}}");
  EXPECT_THAT(ErrorOf("a:\n  <<: 1\n"), StartsWith("f.yaml:2:3: the merge key"));
  EXPECT_THAT(ErrorOf("a:\n  <<: [{}, 1]\n"), StartsWith("f.yaml:2:3: the merge key"));
  // A merge inside of a value that is merged.
  EXPECT_EQ(FlatOf("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n"),
            "{a: {x: 1}, b: {y: 2, x: 1}, c: {y: 2, x: 1}}");
}

TEST(YamlTest, KeysAreScalars) {
  EXPECT_EQ(FlatOf("1: a\ntrue: b\n\"\": c\n"), "{1: a, true: b, : c}");
  EXPECT_THAT(ErrorOf("? [a]\n: b\n"), StartsWith("f.yaml:1:3: a key that is not a scalar"));
  EXPECT_THAT(ErrorOf(": x\n"), HasSubstr("an empty key"));
  EXPECT_THAT(ErrorOf("~: x\n"), HasSubstr("an empty key"));
  const auto unrendered = ParseYaml("a: {{ .Values.x }}\n", "f.yaml");
  EXPECT_THAT(unrendered, StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(unrendered, HintIs(HasSubstr("not rendered")));
}

TEST(YamlTest, BytesThatNoYamlTextHas) {
  EXPECT_EQ(ErrorOf(std::string("a: 1\nb: x\0y\n", 12)), "f.yaml:2:5: a control character");
  EXPECT_EQ(ErrorOf("a: x\x04y\nb: 1\n"), "f.yaml:1:5: a control character");
  EXPECT_EQ(ErrorOf("a: \x1b[31m\n"), "f.yaml:1:4: a control character");
  EXPECT_EQ(ErrorOf("a: \x7F\n"), "f.yaml:1:4: a control character");
  EXPECT_EQ(ErrorOf("a: \xC2\x9B\n"), "f.yaml:1:4: a control character");
  EXPECT_EQ(FlatOf("a: \xC2\x85z\n").substr(0, 4), "{a: ");
  EXPECT_EQ(ErrorOf("a: \xC3\xA9\nb: \xC3\n"), "f.yaml:2:4: not valid UTF-8");
  EXPECT_EQ(ErrorOf("a: \xED\xA0\x80\n"), "f.yaml:1:4: not valid UTF-8");
  EXPECT_EQ(ErrorOf("a: \"x\\0y\"\n"), "f.yaml:1:4: a NUL character in a value");
  EXPECT_EQ(ErrorOf("\"a\\0\": 1\n"), "f.yaml:1:1: a NUL character in a value");
  // UTF-16, with and without its mark.
  EXPECT_THAT(ErrorOf(std::string("\xFF\xFE"
                                  "a\0",
                                  4)),
              StartsWith("f.yaml:1:1: "));
  EXPECT_THAT(ErrorOf(std::string("a\0:\0", 4)), StartsWith("f.yaml:1:2: "));
}

TEST(YamlTest, BinaryIsRefusedBecauseItsTextIsNotItsValue) {
  EXPECT_THAT(ErrorOf("a: !!binary aGk=\n"), StartsWith("f.yaml:1:4: the tag !!binary"));
}

// Each of yaml-cpp's complaints, told in our words: where, and never a piece of the text, which
// holds "canary" wherever yaml-cpp might pick it up.
TEST(YamlTest, SyntaxErrorsHaveAPositionAndNoText) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"a: \"canary\n", "f.yaml:1:4: quotes that begin here are not closed"},
      {"a: \"canary", "f.yaml:1:11: the text ends inside quotes"},
      {"a: &x !!str  'can''ary\n", "f.yaml:1:4: quotes that begin here"},
      {"a: !x # '\n  \"canary\\\"\n", "f.yaml:1:4: quotes that begin here"},
      {"a: 'canary\n", "f.yaml:1:4: quotes that begin here"},
      {"a: \"canary\n--- x\n", "f.yaml:2:1: \"---\" or \"...\" inside quotes"},
      {"a: \"\\q canary\"\n", "f.yaml:1:7: an unknown escape"},
      {"a: \"\\xzzcanary\"\n", "f.yaml:1:9: an escape \"\\x\""},
      {"a: \"\\uD800canary\"\n", "f.yaml:1:11: an escape \"\\u\""},
      {"a:\n\tcanary: x\n", "f.yaml:2:1: a tab in the indentation"},
      {"a: b: canary\n", "f.yaml:1:5: a \":\" is not possible here"},
      {"a: 1\n b: canary\n", "f.yaml:2:3: a \":\" is not possible here"},
      {"a: 1\n- canary\n", "f.yaml:2:1: the map ends here"},
      {"- canary\nb: 1\n", "f.yaml:2:1: the document ends here"},
      {"a:\n  - x\n canary: 1\n", "f.yaml:3:2: the map ends here"},
      {"a: [canary\n", "f.yaml:2:1: a \"[\" without"},
      {"a: {canary: 1\n", "f.yaml:2:1: a \"{\" without"},
      {"a: canary]\nb: ]\n", "f.yaml:2:4: a \"]\" or \"}\""},
      {"a: *canary\n", "f.yaml:1:4: an alias whose anchor"},
      {"a: *\n", "f.yaml:1:5: this is not valid YAML"},
      {"a: &x &canary b\n", "f.yaml:1:7: two anchors"},
      {"a: !x !canary b\n", "f.yaml:1:7: two tags"},
      {"a: &x *canary\n", "f.yaml:1:7: "},
      {"a: @canary\n", "f.yaml:1:4: this is not valid YAML"},
      {"a: `canary\n", "f.yaml:1:4: this is not valid YAML"},
      {"a: %canary\n", "f.yaml:1:4: this is not valid YAML"},
      {"a: !<canary\n", "f.yaml:1:12: a tag"},
      {"a: |x canary\n", "f.yaml:1:5: a character that is not possible after"},
      {"%YAML canary\n---\na: 1\n", "f.yaml:1:1: a %YAML directive"},
      {"%YAML 1.2 canary\n---\na: 1\n", "f.yaml:1:1: a %YAML directive"},
      {"%YAML 2.0\n---\na: 1\n", "f.yaml:1:1: the %YAML version"},
      {"%TAG canary\n---\na: 1\n", "f.yaml:1:1: a %TAG directive"},
  };
  for (const auto& [text, error] : cases) {
    const auto node = ParseYaml(text, "f.yaml");
    ASSERT_THAT(node, StatusIs(ErrorKind::kUsage)) << text;
    EXPECT_THAT(std::string(MessageOf(node.status())), StartsWith(error)) << text;
    EXPECT_THAT(node.status().ToString(), Not(HasSubstr("canary"))) << text;
    EXPECT_THAT(node, HintIs(Not(HasSubstr("canary"))));
  }
}

TEST(YamlTest, DocumentsComeInOrderWithLinesOfTheWholeText) {
  std::vector<std::string> documents;
  std::vector<int> lines;
  const Status status =
      ForEachYamlDocument("# head\n---\na: 1\n---\n---\n# only a comment\n---\n- b\n...\n---\nc\n",
                          "f.yaml", {}, [&documents, &lines](YamlNode node) {
                            documents.push_back(Flat(node));
                            lines.push_back(node.line());
                            return absl::OkStatus();
                          });
  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(documents, ElementsAre("{a: 1}", "~", "~", "[b]", "c"));
  EXPECT_EQ(lines.front(), 3);
  EXPECT_EQ(lines.back(), 11);
}

TEST(YamlTest, TheCallersErrorStopsTheWalk) {
  int calls = 0;
  const Status status = ForEachYamlDocument("--- a\n--- b\n", "f.yaml", {}, [&calls](YamlNode) {
    ++calls;
    return MakeError(ErrorKind::kNotFound, "enough");
  });
  EXPECT_THAT(status, StatusIs(ErrorKind::kNotFound, "enough"));
  EXPECT_EQ(calls, 1);
}

// yaml-cpp gives a null to a last key without its colon, and to nothing between commas.
TEST(YamlTest, WhatIsMissingIsNotNull) {
  EXPECT_EQ(ErrorOf("a: 1\nb\n"), "f.yaml:2:1: a key without \":\"");
  EXPECT_THAT(ErrorOf("a:\n  x: 1\n  y:z\n"), StartsWith("f.yaml:3:3: a key without"));
  EXPECT_THAT(ErrorOf("a: |\n x\nb"), StartsWith("f.yaml:3:1: a key without"));
  EXPECT_THAT(ErrorOf("a: &x 1\n*x"), StartsWith("f.yaml:2:1: a key without"));
  EXPECT_THAT(ErrorOf("\xEF\xBB\xBF"
                      "a: 1\nb\n"),
              StartsWith("f.yaml:2:1: a key"));
  EXPECT_EQ(ErrorOf("a: [x, , y]\n"), "f.yaml:1:8: an empty entry in a list");
  EXPECT_EQ(ErrorOf("a: [,]\n"), "f.yaml:1:5: an empty entry in a list");
  EXPECT_EQ(FlatOf("a:\nb :\n'c: ':\n\"d\\\"\" :\n&e !!str e:\n? f\n?  g\n:\nh: &h x\n*h :\n"),
            "{a: ~, b: ~, c: : ~, d\": ~, e: ~, f: ~, g: ~, h: x, x: ~}");
  EXPECT_EQ(FlatOf("a: {x, \"y\", z: }\nb: [x,]\nc:\n-\n- \n"),
            "{a: {x: ~, y: ~, z: ~}, b: [x], c: [~, ~]}");
}

// yaml-cpp takes wrong indentation for the beginning of another document.
TEST(YamlTest, AnotherDocumentBeginsWithItsMarker) {
  for (const char* text : {"- a\nb: 1\n", "a: 1\n---\n- a\nb: 1\n", "[a]\nb\n", "\"a\"\n---x\n",
                           "a\n...\n, b", ", a", "\xEF\xBB\xBF- a\n\n# c\nb: 1\n"}) {
    EXPECT_THAT(ForEachYamlDocument(text, "f.yaml", {}, [](YamlNode) { return absl::OkStatus(); }),
                StatusIs(ErrorKind::kUsage, HasSubstr("something follows")))
        << text;
  }
  for (const char* text :
       {"a: 1\n...\n# c\n\nb: 1\n", "a: 1\n...\n%YAML 1.2\n---\nb: 1\n",
        "\xEF\xBB\xBF---\r\na: 1\r\n---\r\nb: 1\r\n", "--- a\n--- b", "---\n---"}) {
    int count = 0;
    EXPECT_THAT(ForEachYamlDocument(text, "f.yaml", {},
                                    [&count](YamlNode) {
                                      ++count;
                                      return absl::OkStatus();
                                    }),
                IsOk())
        << text;
    EXPECT_EQ(count, 2) << text;
  }
}

TEST(YamlTest, OneDocumentMeansOne) {
  EXPECT_THAT(ErrorOf("a: 1\n---\nb: 2\n"), StartsWith("f.yaml:3:1: a second document"));
  EXPECT_EQ(FlatOf("---\n---\na: 1\n---\n"), "{a: 1}");
}

TEST(YamlTest, NodeLimitIsPerDocument) {
  YamlLimits limits;
  limits.max_nodes = 3;
  std::string text;
  for (int i = 0; i < 10; ++i) text += "---\na: 1\n";
  int count = 0;
  EXPECT_THAT(ForEachYamlDocument(text, "f.yaml", limits,
                                  [&count](YamlNode) {
                                    ++count;
                                    return absl::OkStatus();
                                  }),
              IsOk());
  EXPECT_EQ(count, 10);
}

TEST(YamlMergeTest, IsHelms) {
  const auto merged = [](const char* base, const char* over) {
    YamlNode node = Parsed(base);
    node.MergeFrom(Parsed(over));
    return Flat(node);
  };
  EXPECT_EQ(merged("a: 1\nb: {c: 1, d: 2}\n", "b: {d: 3, e: 4}\nf: 5\n"),
            "{a: 1, b: {c: 1, d: 3, e: 4}, f: 5}");
  EXPECT_EQ(merged("a: {b: 1, c: 2}\n", "a: {b: null}\n"), "{a: {c: 2}}");
  EXPECT_EQ(merged("a: {b: 1}\n", "a: null\nx: null\n"), "{}");
  EXPECT_EQ(merged("a: [1, 2]\n", "a: [3]\n"), "{a: [3]}");
  EXPECT_EQ(merged("a: {b: 1}\n", "a: text\n"), "{a: text}");
  EXPECT_EQ(merged("a: text\n", "a: {b: 1}\n"), "{a: {b: 1}}");
  EXPECT_EQ(merged("", "a: 1\n"), "{a: 1}");
  EXPECT_EQ(merged("a: 1\n", "a: \"null\"\n"), "{a: 'null'}");
}

TEST(YamlNodeTest, CopiesAreDeepAndAssignmentToAPartOfItselfWorks) {
  YamlNode node = Parsed("a: {b: {c: 1}}\n");
  const YamlNode copy = node;
  node = YamlNode(node["a"]);
  EXPECT_EQ(Flat(node), "{b: {c: 1}}");
  node = node["b"];
  EXPECT_EQ(Flat(node), "{c: 1}");
  EXPECT_EQ(Flat(copy), "{a: {b: {c: 1}}}");
}

}  // namespace
}  // namespace vaultcore
