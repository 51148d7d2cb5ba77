#include "common/ui.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace apps {
namespace {

using vaultcore::ErrorKind;
using vaultcore::MakeError;

TEST(FormatError, IsOneLineAndOneForTheHint) {
  EXPECT_EQ(FormatError("loader", MakeError(ErrorKind::kUsage, "no configuration", "name one")),
            "loader: no configuration\nloader: hint: name one\n");
  EXPECT_EQ(FormatError("loader", MakeError(ErrorKind::kIo, "disk full")), "loader: disk full\n");
}

TEST(FormatError, KeepsLineBreaksOutOfTheLine) {
  EXPECT_EQ(FormatError("x", MakeError(ErrorKind::kIo, "a\nb")), "x: a b\n");
}

TEST(Version, IsThreeNumbers) {
  EXPECT_THAT(std::string(Version()), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST(ProcessEnvironment, TellsUnsetFromEmpty) {
  ASSERT_EQ(::setenv("VC_UI_TEST", "", 1), 0);
  EXPECT_EQ(ProcessEnvironment()("VC_UI_TEST"), std::optional<std::string>(""));
  ASSERT_EQ(::unsetenv("VC_UI_TEST"), 0);
  EXPECT_EQ(ProcessEnvironment()("VC_UI_TEST"), std::nullopt);
}

}  // namespace
}  // namespace apps
