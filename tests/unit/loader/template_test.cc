#include "loader/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/status_matchers.h"
#include "vaultcore/api/json.h"

namespace loader {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vaultcore::ErrorKind;
using vaultcore::HintIs;
using vaultcore::IsOk;
using vaultcore::Json;
using vaultcore::StatusIs;
using vaultcore::StatusOr;

constexpr char kDatabase[] = R"({"data": {"host": "db.example", "port": 5432, "ratio": 1.10,
    "tls": true, "plain": false, "none": null, "empty": "", "zero": 0, "password": "it's $5",
    "with-dash": "d", "nested": {"b": "2", "a": "1"}, "list": ["x", "y"]}, "metadata": {"version": 3}})";

StatusOr<std::string> Render(std::string_view text) {
  auto parsed = Template::Parse(text, "t");
  if (!parsed.ok()) return parsed.status();
  std::map<std::string, Json, std::less<>> answers;
  answers.emplace("s4e/data/database", Json::Parse(kDatabase).value());
  answers.emplace("kv1/app", Json::Parse(R"({"key": "v1"})").value());
  const auto content = parsed->Render(
      [&answers](std::string_view path) -> const Json& { return answers.find(path)->second; });
  if (!content.ok()) return content.status();
  return std::string(content->Reveal());
}

std::string Rendered(std::string_view text) {
  const auto result = Render(text);
  EXPECT_THAT(result, IsOk()) << text;
  return result.ok() ? *result : "";
}

std::string WithDatabase(std::string_view body) {
  return Rendered("{{ with secret \"s4e/data/database\" }}" + std::string(body) + "{{ end }}");
}

TEST(TemplateTest, TheGuidesTemplate) {
  EXPECT_EQ(Rendered("{{- with secret \"s4e/data/database\" -}}\n"
                     "export DB_HOST={{ .Data.data.host }}\n"
                     "export DB_PORT={{ .Data.data.port }}\n"
                     "export DB_PASS={{ .Data.data.password }}\n"
                     "{{- end }}\n"),
            "export DB_HOST=db.example\nexport DB_PORT=5432\nexport DB_PASS=it's $5\n");
}

TEST(TemplateTest, TextAloneStaysAsItIs) {
  EXPECT_EQ(Rendered(""), "");
  EXPECT_EQ(Rendered("a }} b\n  c { d"), "a }} b\n  c { d");
}

TEST(TemplateTest, TrimMarkersTakeTheWhiteSpaceBesideThem) {
  EXPECT_EQ(Rendered("a \n {{- \"x\" -}} \t\n b"), "axb");
  EXPECT_EQ(Rendered("a {{ \"x\" }} b"), "a x b");
  EXPECT_EQ(Rendered("a {{- /* a comment */ -}} b"), "ab");
  EXPECT_EQ(Rendered("a {{/* a comment */}} b"), "a  b");
}

TEST(TemplateTest, KvVersion1HasItsKeysBelowData) {
  EXPECT_EQ(Rendered("{{ with secret \"kv1/app\" }}{{ .Data.key }}{{ end }}"), "v1");
}

TEST(TemplateTest, ValuesThatAreNoTexts) {
  EXPECT_EQ(WithDatabase("{{ .Data.data.ratio }} {{ .Data.data.tls }} [{{ .Data.data.none }}] "
                         "{{ .Data.data.nested }} {{ .Data.data.list }}"),
            "1.10 true [] {\"b\":\"2\",\"a\":\"1\"} [\"x\",\"y\"]");
}

TEST(TemplateTest, ConditionsAreTrueAsInGo) {
  for (const char* field : {"host", "port", "tls", "nested", "list"}) {
    EXPECT_EQ(WithDatabase("{{ if .Data.data." + std::string(field) + " }}y{{ else }}n{{ end }}"),
              "y")
        << field;
  }
  for (const char* field : {"plain", "none", "empty", "zero", "not_there"}) {
    EXPECT_EQ(WithDatabase("{{ if .Data.data." + std::string(field) + " }}y{{ else }}n{{ end }}"),
              "n")
        << field;
  }
  EXPECT_EQ(WithDatabase("{{ if .Data.data.empty }}1{{ else if .Data.data.host }}2{{ else }}3"
                         "{{ end }}."),
            "2.");
  EXPECT_EQ(WithDatabase("{{ with .Data.data.none }}y{{ else }}n{{ end }}"), "n");
}

TEST(TemplateTest, RangeGoesOverObjectsByKeyAndListsInOrder) {
  EXPECT_EQ(WithDatabase("{{ range $k, $v := .Data.data.nested }}{{ $k }}={{ $v }};{{ end }}"),
            "a=1;b=2;");
  EXPECT_EQ(WithDatabase("{{ range .Data.data.list }}<{{ . }}>{{ end }}"), "<x><y>");
  EXPECT_EQ(WithDatabase("{{ range $i, $v := .Data.data.list }}{{ $i }}{{ $v }} {{ end }}"),
            "0x 1y ");
  EXPECT_EQ(WithDatabase("{{ range .Data.data.none }}x{{ else }}nothing{{ end }}"), "nothing");
}

TEST(TemplateTest, VariablesAndIndex) {
  EXPECT_EQ(Rendered("{{ with $s := secret \"s4e/data/database\" }}{{ range $s.Data.data.list }}"
                     "{{ . }}@{{ $s.Data.data.host }} {{ end }}{{ end }}"),
            "x@db.example y@db.example ");
  EXPECT_EQ(WithDatabase("{{ index .Data.data \"with-dash\" }}"), "d");
  EXPECT_EQ(Rendered("{{ (secret \"kv1/app\").Data.key }}"), "v1");
}

TEST(TemplateTest, PathsAreKnownBeforeRendering) {
  const auto parsed = Template::Parse(
      "{{ if secret \"b\" }}{{ end }}{{ with secret \"a\" }}{{ with secret \"b\" }}{{ end }}{{ end "
      "}}",
      "t");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_THAT(parsed->paths(), ElementsAre("b", "a"));
}

TEST(TemplateTest, MistakesAreToldWithTheirPlace) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c : {
           Case{"line\n  {{ toJSON .Data }}", "t:2:6: unknown function \"toJSON\""},
           Case{"{{ .Data | base64Decode }}", "t:1:12: unknown function \"base64Decode\""},
           Case{"{{ with secret }}{{ end }}", "t:1:9: secret needs a path in quotes"},
           Case{"{{ with secret \"a\" }}x", "t:1:1: this has no \"end\""},
           Case{"x\n{{ end }}", "t:2:1: there is nothing to end here"},
           Case{"{{ else }}", "t:1:1: there is nothing to end here"},
           Case{"{{ if .a }}{{ else }}{{ else }}{{ end }}", "t:1:1: two \"else\" for this"},
           Case{"{{ .a", "t:1:1: \"{{\" without \"}}\""},
           Case{"{{ \"a }}", "t:1:4: the text does not end"},
           Case{"{{ \"\\q\" }}", "t:1:4: an escape that is not known"},
           Case{"{{ $x }}", "t:1:4: there is no variable $x"},
           Case{"{{ }}", "t:1:1: something is missing before \"}}\""},
           Case{"{{ (.a }}", "t:1:4: \"(\" without \")\""},
           Case{"{{ index .a }}", "t:1:4: index needs a value and a key in quotes"},
           Case{"{{ .a .b }}", "t:1:7: \"}}\" is missing here"},
           Case{"{{ ! }}", "t:1:4: \"!\" is not possible here"},
       }) {
    const auto parsed = Template::Parse(c.text, "t");
    EXPECT_THAT(parsed, StatusIs(ErrorKind::kUsage, c.message)) << c.text;
    EXPECT_THAT(parsed, HintIs(HasSubstr("templates know secret")));
  }
}

TEST(TemplateTest, NestingHasALimit) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{{ if .a }}";
  for (int i = 0; i < 100; ++i) deep += "{{ end }}";
  EXPECT_THAT(Template::Parse(deep, "t"), StatusIs(ErrorKind::kUsage, HasSubstr("too deeply")));
  EXPECT_THAT(Template::Parse("{{ " + std::string(100, '('), "t"),
              StatusIs(ErrorKind::kUsage, HasSubstr("too deeply")));
}

TEST(TemplateTest, AFieldThatIsWrittenMustBeThere) {
  const auto missing =
      Render("{{ with secret \"s4e/data/database\" }}\n{{ .Data.data.hosst }}{{ end }}");
  EXPECT_THAT(missing, StatusIs(ErrorKind::kNotFound, "t:2:4: there is no field hosst"));
  EXPECT_THAT(missing, HintIs(HasSubstr(".Data.data")));
  EXPECT_THAT(Render("{{ .Data }}"), StatusIs(ErrorKind::kNotFound, HasSubstr("no field Data")));
  EXPECT_THAT(Render("{{ (secret \"kv1/app\").Lease }}"),
              StatusIs(ErrorKind::kRejected, HasSubstr("has no field Lease, only Data")));
  EXPECT_THAT(Render("{{ (secret \"kv1/app\").Data.key.more }}"),
              StatusIs(ErrorKind::kRejected, HasSubstr("has no field more")));
  EXPECT_THAT(Render("{{ secret \"kv1/app\" }}"),
              StatusIs(ErrorKind::kRejected, HasSubstr("only its fields")));
  EXPECT_THAT(Render("{{ range (secret \"kv1/app\").Data.key }}{{ end }}"),
              StatusIs(ErrorKind::kRejected, HasSubstr("range needs")));
}

}  // namespace
}  // namespace loader
