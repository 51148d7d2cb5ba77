#include "vaultcore/api/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "support/status_matchers.h"
#include "vaultcore/base/encoding.h"

namespace vaultcore {
namespace {

using std::string_view_literals::operator""sv;
using testing::HasSubstr;
using testing::Not;

// What is left of a text that has been read and written again.
std::string Again(std::string_view text) {
  const auto json = Json::Parse(text);
  EXPECT_THAT(json, IsOk()) << text;
  return json.ok() ? std::string(json->Dump().Reveal()) : "";
}

TEST(JsonTest, ReadsAndWritesEveryKind) {
  for (const std::string_view text :
       {"null", "true", "false", "0", "-1", "\"\"", "\"a\"", "[]", "{}", "[1,[2,[]],{}]",
        R"({"a":{"b":[null,true,"c",1.5]}})"}) {
    EXPECT_EQ(Again(text), text);
  }
  EXPECT_EQ(Again(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"), R"({"a":[1,2]})");
}

TEST(JsonTest, NumbersKeepTheirText) {
  for (const std::string_view text :
       {"1.10", "1.0", "-0", "-0.0", "1e400", "1E+2", "1e-7", "12345678901234567890123",
        "0.1000000000000000055511151231257827", "9223372036854775807", "18446744073709551615",
        "-9223372036854775808", "-9223372036854775809"}) {
    const auto json = Json::Parse(text);
    ASSERT_THAT(json, IsOk()) << text;
    EXPECT_EQ(json->type(), Json::Type::kNumber);
    EXPECT_EQ(json->AsText(), text);
    EXPECT_EQ(Again("[" + std::string(text) + "]"), "[" + std::string(text) + "]");
    EXPECT_EQ(Again("{\"a\":" + std::string(text) + " }"), "{\"a\":" + std::string(text) + "}");
  }
}

TEST(JsonTest, UnescapesStrings) {
  const auto json = Json::Parse(R"("\" \\ \/ \b\f\n\r\t \u0000 \u00e9 \ud83d\ude00 \u003c")");
  ASSERT_THAT(json, IsOk());
  EXPECT_EQ(json->AsText(), "\" \\ / \b\f\n\r\t \0 \xC3\xA9 \xF0\x9F\x98\x80 <"sv);
}

TEST(JsonTest, LongStringsWithEscapesComeInOnePiece) {
  // Longer than any buffer of the parser's, with escapes at every place.
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += i % 7 == 0 ? "\n" : i % 11 == 0 ? "\xC3\xA9" : "x";
  const Json json = Json::String(bytes);
  const Secret text = json.Dump();
  const auto parsed = Json::Parse(text.Reveal());
  ASSERT_THAT(parsed, IsOk());
  EXPECT_TRUE(parsed->AsText() == bytes);
}

TEST(JsonTest, WritesControlCharactersAsEscapes) {
  std::string controls;
  for (char c = 0; c < 0x20; ++c) controls.push_back(c);
  EXPECT_EQ(Json::String(controls).Dump().Reveal(),
            R"("\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f)"
            R"(\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c)"
            R"(\u001d\u001e\u001f")");
  EXPECT_EQ(Json::String("</a> & \"\\ \x7F \xC3\xA9").Dump().Reveal(),
            "\"</a> & \\\"\\\\ \x7F \xC3\xA9\"");
}

TEST(JsonTest, KeysAreEscapedToo) {
  Json json = Json::Object();
  json.Set("a\"\n", Json::Bool(true));
  EXPECT_EQ(json.Dump().Reveal(), R"({"a\"\n":true})");
  EXPECT_TRUE(*Json::Parse(json.Dump().Reveal()) == json);
}

TEST(JsonTest, OfEqualKeysTheLastWins) {
  EXPECT_EQ(Again(R"({"a":1,"b":2,"a":3})"), R"({"b":2,"a":3})");
  EXPECT_EQ(Again(R"({"a":1,"a":2,"a":3})"), R"({"a":3})");
  EXPECT_EQ(Again(R"({"a":{"b":1,"b":2}})"), R"({"a":{"b":2}})");
  EXPECT_EQ(Again(R"({"a":1,"\u0061":2})"), R"({"a":2})");
}

TEST(JsonTest, ManyEqualKeysCostNoMoreThanOthers) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"k" + std::to_string(i % 100'000) + "\":1,";
  text.back() = '}';
  // Quadratic work would take minutes here, and run into the test's time limit.
  const auto json = Json::Parse(text);
  ASSERT_THAT(json, IsOk());
  EXPECT_EQ(json->members().size(), 100'000u);
}

TEST(JsonTest, RefusesWhatIsNotJson) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "[1,",
                                      "\"a",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{a:1}",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "'a'",
                                      "01",
                                      "+1",
                                      ".5",
                                      "1.",
                                      "1e",
                                      "-",
                                      "NaN",
                                      "Infinity",
                                      "tru",
                                      "truex",
                                      "nul",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\ud800\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\n\"",
                                      "\"\t\"",
                                      "// c\n1",
                                      "1 2",
                                      "{}{}",
                                      "[] x",
                                      "\xEF\xBB\xBF{}",
                                      "<html></html>",
                                      "\"\xFF\"",
                                      "\"\xC0\x80\"",
                                      "\"\xED\xA0\x80\"",
                                      "\"\xC3\""}) {
    EXPECT_THAT(Json::Parse(text), StatusIs(ErrorKind::kProtocol, HasSubstr("not valid JSON")))
        << text;
  }
  EXPECT_THAT(Json::Parse(std::string_view("\"a\0b\"", 5)), StatusIs(ErrorKind::kProtocol));
}

TEST(JsonTest, ErrorsTellThePlaceAndNothingOfTheText) {
  const auto json = Json::Parse(R"({"password":"canary-7f3a", canary-9b1c})");
  EXPECT_THAT(json, StatusIs(ErrorKind::kProtocol, HasSubstr("at byte 27")));
  EXPECT_THAT(json, StatusIs(ErrorKind::kProtocol, Not(HasSubstr("canary"))));
  EXPECT_THAT(Json::Parse("{} canary"), StatusIs(ErrorKind::kProtocol, HasSubstr("at byte 3")));
}

TEST(JsonTest, DepthIsLimited) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_THAT(Json::Parse(nested(64)), IsOk());
  EXPECT_THAT(Json::Parse(nested(65)), StatusIs(ErrorKind::kProtocol));
  EXPECT_THAT(Json::Parse(std::string(1'000'000, '[')), StatusIs(ErrorKind::kProtocol));
}

TEST(JsonTest, LenientReadersFallBack) {
  const auto json =
      Json::Parse(R"({"n":7,"t":"7","b":true,"f":1.5,"big":99999999999999999999,"z":null})");
  ASSERT_THAT(json, IsOk());
  EXPECT_EQ((*json)["n"].AsInt(), 7);
  EXPECT_EQ((*json)["n"].AsText(), "7");
  EXPECT_EQ((*json)["t"].AsInt(3), 3);
  EXPECT_EQ((*json)["f"].AsInt(3), 3);
  EXPECT_EQ((*json)["big"].AsInt(3), 3);
  EXPECT_TRUE((*json)["b"].AsBool());
  EXPECT_TRUE((*json)["t"].AsBool(true));
  EXPECT_FALSE((*json)["n"].AsBool());
  EXPECT_EQ((*json)["b"].AsText(), "");
  EXPECT_TRUE((*json)["z"].is_null());
  EXPECT_TRUE(json->Contains("z"));
  EXPECT_FALSE(json->Contains("y"));
  // Chains read safely through what is not there.
  EXPECT_TRUE((*json)["y"]["x"]["w"].is_null());
  EXPECT_TRUE((*json)["n"]["x"].is_null());
  EXPECT_EQ(Json::Number(std::numeric_limits<int64_t>::min()).AsInt(),
            std::numeric_limits<int64_t>::min());
}

TEST(JsonTest, SetReplacesInPlace) {
  Json json = Json::Object();
  json.Set("a", Json::Number(1)).Set("b", Json::Number(2)).Set("a", Json::Number(3));
  EXPECT_EQ(json.Dump().Reveal(), R"({"a":3,"b":2})");
}

TEST(JsonTest, EqualityIgnoresOnlyTheOrderOfMembers) {
  const auto equal = [](std::string_view a, std::string_view b) {
    return *Json::Parse(a) == *Json::Parse(b);
  };
  EXPECT_TRUE(equal(R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"d":3,"c":2},"a":1})"));
  EXPECT_FALSE(equal("[1,2]", "[2,1]"));
  EXPECT_FALSE(equal("1.0", "1.00"));
  EXPECT_FALSE(equal("1", "\"1\""));
  EXPECT_FALSE(equal("null", "false"));
  EXPECT_FALSE(equal("true", "false"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"b":1})"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"a":1,"b":1})"));
  EXPECT_FALSE(equal("[]", "{}"));
}

TEST(JsonTest, PrettyTextIsForPeople) {
  EXPECT_EQ(Json::Parse(R"({"a":[1,{"b":"c"}],"d":{},"e":[]})")->DumpPretty().Reveal(),
            R"({
  "a": [
    1,
    {
      "b": "c"
    }
  ],
  "d": {},
  "e": []
}
)");
}

TEST(JsonTest, ACloneSharesNothing) {
  auto json = Json::Parse(R"({"a":[{"b":"c"}],"d":true,"e":1.50})");
  ASSERT_THAT(json, IsOk());
  const Json clone = json->Clone();
  EXPECT_TRUE(clone == *json);
  *json = Json();
  EXPECT_EQ(clone.Dump().Reveal(), R"({"a":[{"b":"c"}],"d":true,"e":1.50})");
}

// Random values of every kind and size.
class RandomJson {
 public:
  explicit RandomJson(uint32_t seed) : random_(seed) {}

  Json Value(int depth = 0) {
    switch (Pick(depth < 5 ? 7 : 5)) {
      case 0:
        return Json();
      case 1:
        return Json::Bool(Pick(2) == 0);
      case 2:
        return Json::RawNumber(Number());
      case 3:
      case 4:
        return Json::String(Text());
      case 5: {
        Json array = Json::Array();
        for (uint32_t i = Pick(5); i > 0; --i) array.Append(Value(depth + 1));
        return array;
      }
      default: {
        Json object = Json::Object();
        for (uint32_t i = Pick(5); i > 0; --i) object.Set(Text(), Value(depth + 1));
        return object;
      }
    }
  }

  uint32_t Pick(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

 private:
  std::string Digits(uint32_t count) {
    std::string digits;
    for (; count > 0; --count) digits.push_back(static_cast<char>('0' + Pick(10)));
    return digits;
  }

  std::string Number() {
    std::string number = Pick(2) == 0 ? "-" : "";
    number +=
        Pick(3) == 0 ? "0" : std::string(1, static_cast<char>('1' + Pick(9))) + Digits(Pick(30));
    if (Pick(2) == 0) number += "." + Digits(1 + Pick(20));
    if (Pick(3) == 0) {
      constexpr const char* kExponents[] = {"e", "E", "e+", "E-"};
      number += kExponents[Pick(4)] + Digits(1 + Pick(3));
    }
    return number;
  }

  std::string Text() {
    std::string text;
    for (uint32_t i = Pick(4) == 0 ? Pick(6000) : Pick(12); i > 0; --i) AppendCharacter(text);
    return text;
  }

  // A random Unicode scalar value, small ones and what JSON escapes more often.
  void AppendCharacter(std::string& text) {
    uint32_t code = 0;
    switch (Pick(4)) {
      case 0:
        code = Pick(0x20);
        break;
      case 1:
        code = static_cast<unsigned char>(R"("\/<&'$)"[Pick(7)]);
        break;
      case 2:
        code = Pick(0x250);
        break;
      default:
        code = Pick(0x110000);
        if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
    }
    const auto add = [&text](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xC0 | code >> 6);
      add(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      add(0xE0 | code >> 12);
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    }
  }

  std::mt19937 random_;
};

TEST(JsonPropertyTest, WhatIsWrittenIsReadBackTheSame) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    const Json value = RandomJson(seed).Value();
    const Secret compact = value.Dump();
    const auto again = Json::Parse(compact.Reveal());
    ASSERT_THAT(again, IsOk()) << "seed " << seed;
    ASSERT_TRUE(*again == value) << "seed " << seed;
    ASSERT_TRUE(again->Dump() == compact) << "seed " << seed;
    const auto pretty = Json::Parse(value.DumpPretty().Reveal());
    ASSERT_THAT(pretty, IsOk()) << "seed " << seed;
    ASSERT_TRUE(*pretty == value) << "seed " << seed;
    ASSERT_TRUE(value.Clone() == value) << "seed " << seed;
  }
}

// Damaged text is refused or read as something that can be written; it is never a crash.
TEST(JsonPropertyTest, DamagedTextIsHandled) {
  int refused = 0;
  for (uint32_t seed = 0; seed < 5000; ++seed) {
    RandomJson random(seed);
    std::string text(random.Value().Dump().Reveal());
    if (text.size() < 2) continue;
    const size_t at = random.Pick(static_cast<uint32_t>(text.size()));
    switch (random.Pick(3)) {
      case 0:
        text[at] = static_cast<char>(random.Pick(256));
        break;
      case 1:
        text.erase(at);
        break;
      default:
        text.insert(at, 1, static_cast<char>(random.Pick(256)));
    }
    const auto json = Json::Parse(text);
    if (!json.ok()) {
      ++refused;
      continue;
    }
    const Secret dumped = json->Dump();
    EXPECT_TRUE(IsValidUtf8(dumped.Reveal())) << "seed " << seed;
    EXPECT_THAT(Json::Parse(dumped.Reveal()), IsOk()) << "seed " << seed;
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace vaultcore
