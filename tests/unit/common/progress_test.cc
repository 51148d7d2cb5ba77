#include "common/progress.h"

#include <gtest/gtest.h>

#include <string>

namespace apps {
namespace {

TEST(FitColumns, CutsWhatIsTooLong) {
  EXPECT_EQ(FitColumns("rendering", 9), "rendering");
  EXPECT_EQ(FitColumns("rendering", 8), "rende...");
  EXPECT_EQ(FitColumns("rendering", 3), "...");
  EXPECT_EQ(FitColumns("rendering", 2), "..");
  EXPECT_EQ(FitColumns("rendering", 0), "");
  EXPECT_EQ(FitColumns("", 5), "");
}

TEST(FitColumns, CountsCharactersAndNotBytes) {
  EXPECT_EQ(FitColumns("äöüäöü", 6), "äöüäöü");
  EXPECT_EQ(FitColumns("äöüäöü", 5), "äö...");
}

TEST(Progress, IsSilentWithoutATerminal) {
  std::string written;
  {
    Progress progress(Terminal{}, false, [&](std::string_view text) { written += text; });
    progress.Show("rendering");
    progress.ShowCount("uploading", 1, 2, "entries");
  }
  EXPECT_EQ(written, "");
}

TEST(Progress, IsSilentWhenQuiet) {
  std::string written;
  {
    Progress progress(Terminal{true, true, 80}, true,
                      [&](std::string_view text) { written += text; });
    progress.Show("rendering");
  }
  EXPECT_EQ(written, "");
}

TEST(Progress, ReplacesItsLineAndClearsItInTheEnd) {
  std::string written;
  {
    Progress progress(Terminal{true, true, 80}, false,
                      [&](std::string_view text) { written += text; });
    progress.Show("one");
    progress.Show("one");
    progress.Show("two");
  }
  EXPECT_EQ(written, "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K");
}

TEST(Progress, DrawsTheBarOnlyWhereThereIsRoom) {
  std::string wide;
  std::string narrow;
  Progress in_wide(Terminal{true, true, 80}, false, [&](std::string_view text) { wide += text; });
  Progress in_narrow(Terminal{true, true, 30}, false,
                     [&](std::string_view text) { narrow += text; });
  in_wide.ShowCount("uploading", 5, 10, "entries");
  in_narrow.ShowCount("uploading", 5, 10, "entries");
  EXPECT_EQ(wide, "\r\x1b[Kuploading [##########          ] 5/10 entries");
  EXPECT_EQ(narrow, "\r\x1b[Kuploading 5/10 entries");
}

TEST(DetectTerminal, AFileIsNone) {
  const auto environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "TERM") return "xterm";
    if (name == "COLUMNS") return "40";
    return std::nullopt;
  };
  const Terminal terminal = DetectTerminal(-1, environment);
  EXPECT_FALSE(terminal.rewritable);
  EXPECT_FALSE(terminal.color);
  EXPECT_EQ(terminal.columns, 40);
}

}  // namespace
}  // namespace apps
