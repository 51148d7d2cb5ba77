#include "generator/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace generator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitManifests, GivesEachDocumentItsTemplate) {
  const auto documents = SplitManifests(
      "---\n# Source: a/templates/x.yaml\nkind: A\n---\n# Source: a/charts/b/templates/y.yaml\n"
      "kind: B\n");
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].template_path, "a/templates/x.yaml");
  EXPECT_NE(documents[0].text.find("kind: A"), std::string_view::npos);
  EXPECT_EQ(documents[0].text.find("kind: B"), std::string_view::npos);
  EXPECT_EQ(documents[1].template_path, "a/charts/b/templates/y.yaml");
}

// After an empty document Helm's comment stands alone.
TEST(SplitManifests, KeepsTheTemplateOfTheDocumentBefore) {
  const auto documents = SplitManifests("---\n# Source: a/templates/x.yaml\n---\nkind: A\n");
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[1].template_path, "a/templates/x.yaml");
}

TEST(SplitManifests, LeavesSeparatorsInsideTextsAlone) {
  const auto documents =
      SplitManifests("kind: ConfigMap\ndata:\n  x: |\n    ---\n    kind: Secret\n  y: \"----\"\n");
  EXPECT_EQ(documents.size(), 1u);
}

TEST(SplitManifests, NothingIsNoDocument) {
  EXPECT_THAT(SplitManifests(""), IsEmpty());
  EXPECT_THAT(SplitManifests("---\n\n---\n"), IsEmpty());
}

TEST(SplitManifests, TakesWindowsLineEnds) {
  const auto documents =
      SplitManifests("---\r\n# Source: a/templates/x.yaml\r\nkind: A\r\n---\r\n");
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].template_path, "a/templates/x.yaml");
}

TEST(ChartOf, WalksInwards) {
  EXPECT_THAT(ChartOf("acme/charts/core/charts/accounts/templates/x.yaml"),
              ElementsAre("acme", "core", "accounts"));
  EXPECT_THAT(ChartOf("acme/templates/charts/x.yaml"), ElementsAre("acme"));
  EXPECT_THAT(ChartOf(""), IsEmpty());
}

TEST(QuickKind, FindsOnlyTheTopLevel) {
  EXPECT_EQ(QuickKind("apiVersion: v1\nkind: Secret\n"), "Secret");
  EXPECT_EQ(QuickKind("kind: \"Secret\" # a comment\n"), "Secret");
  EXPECT_EQ(QuickKind("spec:\n  kind: Other\nkind:  List\n"), "List");
  EXPECT_EQ(QuickKind("spec:\n  kind: Other\n"), "");
}

}  // namespace
}  // namespace generator
