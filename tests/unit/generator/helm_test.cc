#include "generator/helm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"

namespace generator {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using vaultcore::ErrorKind;
using vaultcore::HintOf;
using vaultcore::StatusIs;

TEST(ParseHelmVersion, ReadsThreeAndFour) {
  const auto three = ParseHelmVersion("v3.14.0+g3fc9f4b\n");
  ASSERT_THAT(three, vaultcore::IsOk());
  EXPECT_EQ(three->major, 3);
  EXPECT_EQ(three->minor, 14);
  EXPECT_EQ(ParseHelmVersion("v4.1.4+g05fa379")->major, 4);
  EXPECT_EQ(ParseHelmVersion("Client: v2.17.0+ga690bad")->major, 2);
  for (const char* text : {"", "helm", "v", "v3", "vx.y", "v99999999999.1"}) {
    EXPECT_THAT(ParseHelmVersion(text), StatusIs(ErrorKind::kUsage)) << text;
  }
}

TEST(InterpretHelmFailure, ShowsHelmsWordsAndARemedy) {
  Scrubber scrubber;
  scrubber.Add("canary-password");
  const vaultcore::Status status = InterpretHelmFailure(
      "helm cannot render chart", 1,
      "WARNING: Kubernetes configuration file is group-readable\n"
      "Error: execution error at (x/templates/y.yaml:3:4): bad canary-password given\n",
      scrubber);
  EXPECT_THAT(status, StatusIs(ErrorKind::kUsage,
                               AllOf(HasSubstr("x/templates/y.yaml:3:4"), HasSubstr("[hidden]"),
                                     Not(HasSubstr("canary")), Not(HasSubstr("WARNING")))));
  EXPECT_THAT(
      HintOf(InterpretHelmFailure(
          "x", 1, "Error: found in Chart.yaml, but missing in charts/ directory: a", scrubber)),
      HasSubstr("helm dependency build"));
  EXPECT_THAT(InterpretHelmFailure("x", 137, "", scrubber),
              StatusIs(ErrorKind::kUsage, HasSubstr("137")));
}

TEST(IsWithheldFromHelm, KeepsSecretsBack) {
  for (const char* name : {"VAULT_TOKEN", "VAULT_ADDR", "BAO_TOKEN", "AWS_SECRET_ACCESS_KEY",
                           "GITHUB_TOKEN", "db_password", "API_KEY"}) {
    EXPECT_TRUE(IsWithheldFromHelm(name, false)) << name;
  }
  for (const char* name : {"PATH", "HOME", "KUBECONFIG", "HELM_CACHE_HOME", "HTTPS_PROXY"}) {
    EXPECT_FALSE(IsWithheldFromHelm(name, false)) << name;
  }
}

TEST(TemplateArguments, TheSwitchesComeLast) {
  Options options;
  options.release = "demo";
  options.chart = "chart";
  options.values_files = {"a", "b"};
  options.sets = {{"--set", "x=1"}, {"--set-string", "y=2"}};
  options.kube_version = "1.30";
  options.api_versions = {"v1/A"};
  EXPECT_THAT(TemplateArguments(options, "ns", {{"--set", "on=true"}}),
              ElementsAre("template", "demo", "chart", "--namespace", "ns", "--values", "a",
                          "--values", "b", "--set", "x=1", "--set-string", "y=2", "--kube-version",
                          "1.30", "--api-versions", "v1/A", "--set", "on=true"));
}

TEST(Scrubber, HidesWhatIsKnownAndWhatIsLikely) {
  Scrubber scrubber;
  scrubber.Add("p4ss");
  scrubber.Add("first line\nsecond line");
  scrubber.Add("abc");  // too short to be hidden
  EXPECT_EQ(scrubber.Clean("a p4ss b"), "a [hidden] b");
  EXPECT_EQ(scrubber.Clean("cDRzcw=="), "[hidden]");
  EXPECT_EQ(scrubber.Clean("x second line"), "x [hidden]");
  EXPECT_EQ(scrubber.Clean("abc"), "abc");
  EXPECT_EQ(scrubber.Clean("-----BEGIN KEY-----\nAAAA\n-----END KEY-----"), "[hidden]KEY-----");
  EXPECT_EQ(scrubber.Clean("pg://user:word@host/x"), "pg://[hidden]@host/x");
  EXPECT_EQ(scrubber.Clean("token hvs.CAESIJ1234567890abcdef"), "token [hidden]");
  EXPECT_EQ(scrubber.Clean("key aB3dE5fG7hJ9kL1mN3pQ5rS7t"), "key [hidden]");
  EXPECT_EQ(scrubber.Clean("execution error at (acme-platform/charts/core/templates/x.yaml:12:3)"),
            "execution error at (acme-platform/charts/core/templates/x.yaml:12:3)");
  EXPECT_EQ(scrubber.Clean("a\x1b[31mb\tc"), "a[31mb c");
}

TEST(Scrubber, HidesALongerValueBeforeOneInsideIt) {
  Scrubber scrubber;
  scrubber.Add("secret");
  scrubber.Add("secret-and-more");
  EXPECT_EQ(scrubber.Clean("secret-and-more"), "[hidden]");
}

}  // namespace
}  // namespace generator
