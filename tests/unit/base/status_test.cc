#include "vaultcore/base/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/status_matchers.h"

namespace vaultcore {
namespace {

struct KindCase {
  ErrorKind kind;
  absl::StatusCode code;
  ExitCode exit;
};

constexpr KindCase kKinds[] = {
    {ErrorKind::kUsage, absl::StatusCode::kInvalidArgument, ExitCode::kUsage},
    {ErrorKind::kAuth, absl::StatusCode::kUnauthenticated, ExitCode::kAuth},
    {ErrorKind::kPermission, absl::StatusCode::kPermissionDenied, ExitCode::kAuth},
    {ErrorKind::kNotFound, absl::StatusCode::kNotFound, ExitCode::kMissing},
    {ErrorKind::kConflict, absl::StatusCode::kAborted, ExitCode::kFailed},
    {ErrorKind::kRejected, absl::StatusCode::kFailedPrecondition, ExitCode::kFailed},
    {ErrorKind::kRateLimited, absl::StatusCode::kResourceExhausted, ExitCode::kUnavailable},
    {ErrorKind::kUnavailable, absl::StatusCode::kUnavailable, ExitCode::kUnavailable},
    {ErrorKind::kTls, absl::StatusCode::kFailedPrecondition, ExitCode::kUnavailable},
    {ErrorKind::kTimeout, absl::StatusCode::kDeadlineExceeded, ExitCode::kUnavailable},
    {ErrorKind::kCancelled, absl::StatusCode::kCancelled, ExitCode::kFailed},
    {ErrorKind::kProtocol, absl::StatusCode::kDataLoss, ExitCode::kFailed},
    {ErrorKind::kIo, absl::StatusCode::kUnknown, ExitCode::kFailed},
    {ErrorKind::kInternal, absl::StatusCode::kInternal, ExitCode::kFailed},
};

TEST(StatusTest, EachKindKeepsItselfItsCodeAndItsExitCode) {
  for (const KindCase& expected : kKinds) {
    const Status status = MakeError(expected.kind, "x");
    EXPECT_EQ(KindOf(status), expected.kind);
    EXPECT_EQ(status.code(), expected.code);
    EXPECT_EQ(ExitCodeFor(status), expected.exit) << testing::PrintToString(expected.kind);
  }
  EXPECT_EQ(ExitCodeFor(absl::OkStatus()), ExitCode::kOk);
}

TEST(StatusTest, StatusesMadeElsewhereMapByCode) {
  EXPECT_EQ(KindOf(absl::NotFoundError("x")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(absl::DeadlineExceededError("x")), ErrorKind::kTimeout);
  EXPECT_EQ(KindOf(absl::FailedPreconditionError("x")), ErrorKind::kRejected);
  EXPECT_EQ(KindOf(absl::UnknownError("x")), ErrorKind::kInternal);
  EXPECT_EQ(KindOf(absl::OutOfRangeError("x")), ErrorKind::kInternal);
}

TEST(StatusTest, HintsAreReplacedAndRemoved) {
  const Status status = MakeError(ErrorKind::kIo, "no", "do this");
  EXPECT_EQ(HintOf(status), "do this");
  EXPECT_EQ(HintOf(WithHint(status, "do that")), "do that");
  EXPECT_EQ(HintOf(WithHint(status, "")), "");
  EXPECT_EQ(HintOf(MakeError(ErrorKind::kIo, "no")), "");
  EXPECT_TRUE(WithHint(absl::OkStatus(), "do").ok());
}

TEST(StatusTest, AnnotateKeepsKindHintAndHttpStatus) {
  const Status status =
      Annotate(WithHttpStatus(MakeError(ErrorKind::kTls, "no", "do"), 503), "reading\nx");
  EXPECT_EQ(MessageOf(status), "reading x: no");
  EXPECT_EQ(KindOf(status), ErrorKind::kTls);
  EXPECT_EQ(HintOf(status), "do");
  EXPECT_EQ(HttpStatusOf(status), 503);
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(StatusTest, HttpStatusIsThereOnlyWhenItWasGiven) {
  EXPECT_EQ(HttpStatusOf(MakeError(ErrorKind::kIo, "no")), std::nullopt);
  EXPECT_EQ(HttpStatusOf(absl::OkStatus()), std::nullopt);
  EXPECT_TRUE(WithHttpStatus(absl::OkStatus(), 404).ok());
}

TEST(StatusTest, ControlCharactersBecomeSpaces) {
  const Status status = MakeError(ErrorKind::kIo, "a\nb\x1b[31m\x7f", "c\rd");
  EXPECT_EQ(MessageOf(status), "a b [31m ");
  EXPECT_EQ(HintOf(status), "c d");
  // U+009B is a terminal's "CSI" too; U+00A0 and U+00E9 are text.
  EXPECT_EQ(Printable("\xC2\x9B\xC2\xA0\xC3\xA9"), " \xC2\xA0\xC3\xA9");
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a b");
}

TEST(StatusTest, PrintableCutsOnACharacterBoundary) {
  EXPECT_EQ(Printable("abcdef", 3), "abc");
  EXPECT_EQ(Printable("abc", 3), "abc");
  EXPECT_EQ(Printable("a\xC3\xA9", 2), "a");
  EXPECT_EQ(Printable("\xF0\x9F\x98\x80x", 3), "");
  EXPECT_EQ(Printable("\xF0\x9F\x98\x80x", 4), "\xF0\x9F\x98\x80");
  EXPECT_EQ(Printable(std::string(1000, 'x')).size(), 300u);
  // Bytes that are no UTF-8 do not make it cut everything away.
  EXPECT_GE(Printable(std::string(100, '\xBF'), 50).size(), 47u);
}

StatusOr<int> Half(int number) {
  if (number % 2 != 0) return MakeError(ErrorKind::kUsage, "odd");
  return number / 2;
}

StatusOr<int> Quarter(int number) {
  VC_ASSIGN_OR_RETURN(const int half, Half(number));
  VC_RETURN_IF_ERROR(Half(half).status());
  return half / 2;
}

TEST(StatusTest, MacrosReturnTheError) {
  EXPECT_THAT(Quarter(8), IsOkAndHolds(2));
  EXPECT_THAT(Quarter(3), StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(Quarter(6), StatusIs(ErrorKind::kUsage));
}

}  // namespace
}  // namespace vaultcore
