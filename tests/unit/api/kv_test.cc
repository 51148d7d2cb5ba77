// KV requests as Vault's own client sends them, and every answer that Vault gives (tests/golden).

#include "vaultcore/api/kv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "golden/golden.h"
#include "support/status_matchers.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

const KvMount& V1() {
  static const KvMount mount{*Mount::Parse("kv1"), KvVersion::kV1};
  return mount;
}
const KvMount& V2() {
  static const KvMount mount{*Mount::Parse("secret"), KvVersion::kV2};
  return mount;
}
SecretPath Path(std::string_view text) { return *SecretPath::Parse(text); }
const SecretPath& Entry() {
  static const SecretPath path = Path("harness/log-service/env-secrets");
  return path;
}

KvData Data(std::string_view json) {
  KvData data;
  const auto object = Json::Parse(json);
  EXPECT_THAT(object, IsOk()) << json;
  for (const auto& [key, value] : object->members()) data.emplace(key, value.Clone());
  return data;
}

// The keys and what a file would hold for them.
std::vector<std::pair<std::string, std::string>> Texts(const KvData& data) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [key, value] : data) texts.emplace_back(key, KvText(value).Reveal());
  return texts;
}

HttpResponse Answer(int status, std::string_view body) {
  HttpResponse response;
  response.status = status;
  response.body = Secret::CopyOf(body);
  return response;
}

TEST(KvRequestTest, AreThoseOfVaultsOwnClient) {
  const KvData data = Data(R"({"USER":"harness","API_KEY":"s3cret"})");
  ExpectSameRequest(BuildKvRead(V2(), Entry()), ReadGolden("kv2_read"));
  ExpectSameRequest(BuildKvWrite(V2(), Entry(), data, CheckAndSet{0}), ReadGolden("kv2_write"));
  ExpectSameRequest(BuildKvWrite(V2(), Entry(), data, std::nullopt),
                    ReadGolden("kv2_write_without_cas"));
  ExpectSameRequest(BuildKvList(V2(), Path("harness")), ReadGolden("kv2_list"));
  ExpectSameRequest(BuildKvReadMetadata(V2(), Entry()), ReadGolden("kv2_metadata_read"));
  ExpectSameRequest(BuildKvWriteMetadata(V2(), Entry(), {{"managed-by", "vaultSecretGenerator"}}),
                    ReadGolden("kv2_metadata_write"));
  ExpectSameRequest(BuildKvRead(V1(), Entry()), ReadGolden("kv1_read"));
  ExpectSameRequest(BuildKvWrite(V1(), Entry(), data, std::nullopt), ReadGolden("kv1_write"));
  // Version 1 has no check-and-set.
  ExpectSameRequest(BuildKvWrite(V1(), Entry(), data, CheckAndSet{3}), ReadGolden("kv1_write"));
  ExpectSameRequest(BuildKvList(V1(), Path("harness")), ReadGolden("kv1_list"));
}

TEST(KvRequestTest, AnyCharacterOfAPathReachesVault) {
  const SecretPath path = Path("harness/a b+c/\xC3\xA9%");
  ExpectSameRequest(BuildKvRead(V2(), path), ReadGolden("kv2_read_special_path"));
  ExpectSameRequest(BuildKvWrite(V2(), path, Data(R"({"K":"v"})"), CheckAndSet{0}),
                    ReadGolden("kv2_write_special_path"));
  EXPECT_THAT(ParseKvRead(V2(), path, ReadGolden("kv2_read_special_path").response), IsOk());
}

TEST(KvRequestTest, ReadsMayBeRepeatedAndWritesMayNot) {
  EXPECT_TRUE(BuildKvRead(V2(), Entry()).idempotent());
  EXPECT_TRUE(BuildKvList(V2(), Entry()).idempotent());
  EXPECT_TRUE(BuildKvReadMetadata(V2(), Entry()).idempotent());
  EXPECT_TRUE(BuildKvWriteMetadata(V2(), Entry(), {}).idempotent());
  EXPECT_FALSE(BuildKvWrite(V2(), Entry(), {}, CheckAndSet{1}).idempotent());
  EXPECT_FALSE(BuildKvWrite(V1(), Entry(), {}, std::nullopt).idempotent());
}

TEST(KvRequestTest, LargeVersionsAndEmptyData) {
  EXPECT_EQ(BuildKvWrite(V2(), Entry(), {}, CheckAndSet{18446744073709551615u}).body().Reveal(),
            R"({"data":{},"options":{"cas":18446744073709551615}})");
  EXPECT_EQ(BuildKvWrite(V1(), Entry(), {}, std::nullopt).body().Reveal(), "{}");
}

TEST(ParseKvReadTest, PresentEntries) {
  const auto v2 = ParseKvRead(V2(), Entry(), ReadGolden("kv2_read").response);
  ASSERT_THAT(v2, IsOk());
  EXPECT_EQ(v2->state, KvEntry::State::kPresent);
  EXPECT_THAT(Texts(v2->data), ElementsAre(Pair("API_KEY", "s3cret"), Pair("USER", "harness")));
  EXPECT_EQ(v2->version, 2u);
  EXPECT_EQ(v2->created_time, "2024-05-06T07:08:09.123456789Z");
  EXPECT_THAT(v2->deletion_time, IsEmpty());
  EXPECT_THAT(v2->custom_metadata, IsEmpty());
  EXPECT_THAT(v2->warnings, IsEmpty());

  const auto v1 = ParseKvRead(V1(), Entry(), ReadGolden("kv1_read").response);
  ASSERT_THAT(v1, IsOk());
  EXPECT_TRUE(v1->present());
  EXPECT_THAT(Texts(v1->data), ElementsAre(Pair("API_KEY", "s3cret"), Pair("USER", "harness")));
  EXPECT_EQ(v1->version, 0u);
}

TEST(ParseKvReadTest, ValuesOfEveryKindAsTheMountKeptThem) {
  const auto v1 = ParseKvRead(V1(), Path("harness/values"), ReadGolden("kv1_read_values").response);
  ASSERT_THAT(v1, IsOk());
  EXPECT_THAT(
      Texts(v1->data),
      ElementsAre(
          Pair("array", R"([1,"two",null,true])"), Pair("big", "12345678901234567890123"),
          Pair("empty", ""), Pair("exponent", "1E+2"), Pair("html", "<a href=\"x\">&</a>"),
          Pair("nested", R"({"a":-0.5,"b":{"c":"d"}})"), Pair("null", ""), Pair("number", "1.10"),
          Pair("text", "line 1\nline 2\t\x01 \\ \"q\" \xC3\xA9 \xF0\x9F\x98\x80 \xE2\x80\xA8"),
          Pair("truth", "false")));
  // Version 2 keeps doubles.
  const auto v2 = ParseKvRead(V2(), Path("harness/values"), ReadGolden("kv2_read_values").response);
  ASSERT_THAT(v2, IsOk());
  EXPECT_EQ(KvText(v2->data.at("big")).Reveal(), "1.2345678901234568e+22");
  EXPECT_EQ(KvText(v2->data.at("number")).Reveal(), "1.1");
  EXPECT_TRUE(KvText(v2->data.at("text")) == KvText(v1->data.at("text")));
}

TEST(ParseKvReadTest, AbsentDeletedAndDestroyedAreThreeThings) {
  const auto absent = ParseKvRead(V2(), Entry(), ReadGolden("kv2_read_absent").response);
  ASSERT_THAT(absent, IsOk());
  EXPECT_EQ(absent->state, KvEntry::State::kAbsent);
  EXPECT_EQ(absent->version, 0u);

  const auto deleted = ParseKvRead(V2(), Entry(), ReadGolden("kv2_read_deleted").response);
  ASSERT_THAT(deleted, IsOk());
  EXPECT_EQ(deleted->state, KvEntry::State::kDeleted);
  EXPECT_EQ(deleted->version, 1u);
  EXPECT_EQ(deleted->deletion_time, "2024-05-06T07:08:09.123456789Z");
  EXPECT_THAT(deleted->data, IsEmpty());
  EXPECT_FALSE(deleted->present());

  const auto destroyed = ParseKvRead(V2(), Entry(), ReadGolden("kv2_read_destroyed").response);
  ASSERT_THAT(destroyed, IsOk());
  EXPECT_EQ(destroyed->state, KvEntry::State::kDestroyed);
  EXPECT_EQ(destroyed->version, 1u);

  const auto v1 = ParseKvRead(V1(), Entry(), ReadGolden("kv1_read_absent").response);
  ASSERT_THAT(v1, IsOk());
  EXPECT_EQ(v1->state, KvEntry::State::kAbsent);
}

// Only Vault's own "nothing there" is one: a generator that mistook another 404 for it would write.
TEST(ParseKvReadTest, OtherFailuresAreNeverAbsence) {
  EXPECT_THAT(ParseKvRead(V2(), Entry(), ReadGolden("read_no_mount").response),
              StatusIs(ErrorKind::kNotFound, HasSubstr("nothing is mounted there")));
  EXPECT_THAT(ParseKvRead(V1(), Entry(), ReadGolden("kv2_read_as_kv1").response),
              StatusIs(ErrorKind::kNotFound, HasSubstr("KV version 2")));
  EXPECT_THAT(ParseKvRead(V2(), Entry(), ReadGolden("not_the_api").response),
              StatusIs(ErrorKind::kProtocol));
  for (const std::string_view body : {"", "<html>", "[]", "null", "{\"errors\":[\"x\"]}"}) {
    EXPECT_THAT(ParseKvRead(V2(), Entry(), Answer(404, body)), Not(IsOk())) << body;
  }
  EXPECT_THAT(ParseKvRead(V2(), Entry(), ReadGolden("read_sealed").response),
              StatusIs(ErrorKind::kUnavailable));
  EXPECT_THAT(ParseKvRead(V2(), Entry(), ReadGolden("read_invalid_token").response),
              StatusIs(ErrorKind::kAuth));
}

TEST(ParseKvReadTest, AMissingPolicyIsTold) {
  EXPECT_THAT(
      ParseKvRead(V2(), Entry(), ReadGolden("kv2_read_forbidden").response),
      AllOf(StatusIs(ErrorKind::kPermission,
                     "read secret/harness/log-service/env-secrets: permission denied"),
            HintIs("a policy of the token must have: path "
                   "\"secret/data/harness/log-service/env-secrets\" { capabilities = [\"read\"] "
                   "}")));
  EXPECT_THAT(ParseKvRead(V1(), Entry(), ReadGolden("kv2_read_forbidden").response),
              HintIs(HasSubstr("path \"kv1/harness/log-service/env-secrets\" {")));
}

TEST(ParseKvReadTest, AnswersThatAreNotVaults) {
  for (const std::string_view body :
       {"", "<html>canary</html>", "[]", "{}", R"({"data":null})", R"({"data":{"data":{}}})",
        R"({"data":{"data":null,"metadata":{}}})", R"({"data":{"data":[],"metadata":{}}})",
        R"({"data":{"data":"canary","metadata":{"version":1}}})"}) {
    EXPECT_THAT(ParseKvRead(V2(), Entry(), Answer(200, body)),
                StatusIs(ErrorKind::kProtocol, Not(HasSubstr("canary"))))
        << body;
  }
  EXPECT_THAT(ParseKvRead(V1(), Entry(), Answer(200, R"({"data":[]})")),
              StatusIs(ErrorKind::kProtocol));
}

TEST(ParseKvReadTest, PassesOnMetadataAndWarnings) {
  const auto entry = ParseKvRead(
      V2(), Entry(),
      Answer(200, R"({"data":{"data":{},"metadata":{"version":7,"custom_metadata":{"a":"b"},)"
                  R"("deletion_time":"2030-01-01T00:00:00Z"}},"warnings":["careful\n"]})"));
  ASSERT_THAT(entry, IsOk());
  // A deletion time in the future does not make the entry absent.
  EXPECT_TRUE(entry->present());
  EXPECT_EQ(entry->deletion_time, "2030-01-01T00:00:00Z");
  EXPECT_THAT(entry->custom_metadata, ElementsAre(Pair("a", "b")));
  EXPECT_THAT(entry->warnings, ElementsAre("careful "));
}

TEST(ParseKvWriteTest, TellsTheNewVersion) {
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), ReadGolden("kv2_write").response), IsOkAndHolds(1u));
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), ReadGolden("kv2_write_without_cas").response),
              IsOkAndHolds(2u));
  EXPECT_THAT(ParseKvWrite(V1(), Entry(), ReadGolden("kv1_write").response), IsOkAndHolds(0u));
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), Answer(200, R"({"data":{}})")),
              StatusIs(ErrorKind::kProtocol));
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), Answer(204, "")), StatusIs(ErrorKind::kProtocol));
}

TEST(ParseKvWriteTest, ALostRaceIsAConflict) {
  for (const char* golden : {"kv2_write_cas_mismatch", "kv2_write_over_deleted"}) {
    const Status status = ParseKvWrite(V2(), Entry(), ReadGolden(golden).response).status();
    EXPECT_THAT(status, AllOf(StatusIs(ErrorKind::kConflict,
                                       "write secret/harness/log-service/env-secrets: the entry "
                                       "was changed by somebody else in the meantime "
                                       "(check-and-set)"),
                              HintIs("run again: what is there now is read anew")));
    EXPECT_EQ(HttpStatusOf(status), 400);
  }
}

TEST(ParseKvWriteTest, OtherRefusals) {
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), ReadGolden("kv2_write_cas_required").response),
              StatusIs(ErrorKind::kRejected, HasSubstr("demands check-and-set")));
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), ReadGolden("kv2_write_no_data").response),
              StatusIs(ErrorKind::kRejected, HasSubstr("no data provided")));
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), ReadGolden("kv2_write_large_entry").response),
              AllOf(StatusIs(ErrorKind::kRejected), HintIs(HasSubstr("1 MiB"))));
  EXPECT_THAT(ParseKvWrite(V2(), Entry(), ReadGolden("kv2_write_forbidden").response),
              HintIs(HasSubstr("path \"secret/data/harness/log-service/env-secrets\" { "
                               "capabilities = [\"create\", \"update\"] }")));
}

TEST(ParseKvListTest, NamesAndFolders) {
  EXPECT_THAT(ParseKvList(V2(), Path("harness"), ReadGolden("kv2_list").response),
              IsOkAndHolds(ElementsAre("log-service/")));
  EXPECT_THAT(ParseKvList(V1(), Path("harness"), ReadGolden("kv1_list").response),
              IsOkAndHolds(ElementsAre("log-service/")));
  EXPECT_THAT(ParseKvList(V2(), Path("harness"), ReadGolden("kv2_list_absent").response),
              IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(ParseKvList(V1(), Path("harness"), ReadGolden("kv1_list_absent").response),
              IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(ParseKvList(V2(), Path("other"), ReadGolden("kv2_list_forbidden").response),
              HintIs(HasSubstr("path \"secret/metadata/other\" { capabilities = [\"list\"] }")));
  EXPECT_THAT(ParseKvList(V2(), Path("x"), ReadGolden("read_no_mount").response),
              StatusIs(ErrorKind::kNotFound));
  EXPECT_THAT(ParseKvList(V2(), Path("x"), Answer(200, R"({"data":{}})")),
              StatusIs(ErrorKind::kProtocol));
}

TEST(ParseKvMetadataTest, ReadAndWritten) {
  const auto metadata =
      ParseKvReadMetadata(V2(), Entry(), ReadGolden("kv2_metadata_read").response);
  ASSERT_THAT(metadata, IsOk());
  ASSERT_TRUE(metadata->has_value());
  EXPECT_EQ((*metadata)->current_version, 2u);
  EXPECT_FALSE((*metadata)->cas_required);
  EXPECT_EQ((*metadata)->max_versions, 0);
  EXPECT_THAT((*metadata)->custom_metadata,
              ElementsAre(Pair("managed-by", "vaultSecretGenerator")));

  const auto strict =
      ParseKvReadMetadata(V2(), Path("x"), ReadGolden("kv2_metadata_cas_required").response);
  ASSERT_THAT(strict, IsOk());
  EXPECT_TRUE((*strict)->cas_required);
  EXPECT_EQ((*strict)->max_versions, 5);

  const auto absent =
      ParseKvReadMetadata(V2(), Entry(), ReadGolden("kv2_metadata_absent").response);
  ASSERT_THAT(absent, IsOk());
  EXPECT_FALSE(absent->has_value());
  EXPECT_THAT(ParseKvReadMetadata(V2(), Entry(), Answer(200, R"({"data":{}})")),
              StatusIs(ErrorKind::kProtocol));

  EXPECT_THAT(ParseKvWriteMetadata(V2(), Entry(), ReadGolden("kv2_metadata_write").response),
              IsOk());
  EXPECT_THAT(ParseKvWriteMetadata(V2(), Entry(), ReadGolden("kv2_metadata_forbidden").response),
              HintIs(HasSubstr("path \"secret/metadata/harness/log-service/env-secrets\" { "
                               "capabilities = [\"create\", \"update\"] }")));
}

TEST(KvTextTest, WhatAFileHolds) {
  EXPECT_EQ(KvText(Json()).Reveal(), "");
  EXPECT_EQ(KvText(Json::Bool(true)).Reveal(), "true");
  EXPECT_EQ(KvText(Json::RawNumber("1.10")).Reveal(), "1.10");
  EXPECT_EQ(KvText(Json::String("a\"b")).Reveal(), "a\"b");
  EXPECT_EQ(KvText(*Json::Parse(R"( [1, "a"] )")).Reveal(), R"([1,"a"])");
}

TEST(CheckKvDataTest, ValuesThatVaultWouldKeep) {
  const KvData data = Data(R"({"a":"text \u00e9\u0000","b":true,"c":null,"d":[{"e":"f"}]})");
  EXPECT_THAT(CheckKvData(V1(), data), IsOk());
  EXPECT_THAT(CheckKvData(V2(), data), IsOk());
  for (const char* number : {"0", "-0", "1", "-1", "1.1", "-0.5", "9007199254740992", "0.000001",
                             "123456789012345680000", "3.141592653589793"}) {
    KvData numbers;
    numbers.emplace("n", Json::RawNumber(number));
    EXPECT_THAT(CheckKvData(V2(), numbers), IsOk()) << number;
  }
}

TEST(CheckKvDataTest, NumbersThatVersion2WouldChange) {
  for (const char* number :
       {"1.10", "1.0", "12345678901234567890123", "9007199254740993", "1E+2", "1e400", "-1e400",
        "0.1000000000000000055511151231257827", "0.0000001", "1000000000000000000000"}) {
    KvData numbers;
    numbers.emplace("PORT", Json::RawNumber(number));
    EXPECT_THAT(CheckKvData(V1(), numbers), IsOk()) << number;
    EXPECT_THAT(CheckKvData(V2(), numbers),
                AllOf(StatusIs(ErrorKind::kUsage, AllOf(HasSubstr("PORT"), Not(HasSubstr(number)))),
                      HintIs(HasSubstr("string"))))
        << number;
  }
  EXPECT_THAT(CheckKvData(V2(), Data(R"({"a":[{"b":1.10}]})")), StatusIs(ErrorKind::kUsage));
}

// Of more than four hundred numbers, exactly those are refused that the real server changed, and
// whatever it answers may be written back.
TEST(CheckKvDataTest, KnowsWhatTheServerDoesToNumbers) {
  const auto written = Json::Parse(ReadGolden("kv2_write_numbers").body);
  const auto read = ParseKvRead(V2(), Path("x"), ReadGolden("kv2_read_numbers").response);
  ASSERT_THAT(written, IsOk());
  ASSERT_THAT(read, IsOk());
  const auto& before = (*written)["data"]["numbers"].items();
  const auto& after = read->data.at("numbers").items();
  ASSERT_GT(before.size(), 400u);
  ASSERT_EQ(before.size(), after.size());
  EXPECT_THAT(CheckKvData(V2(), read->data), IsOk());
  for (size_t i = 0; i < before.size(); ++i) {
    KvData data;
    data.emplace("n", before[i].Clone());
    EXPECT_EQ(CheckKvData(V2(), data).ok(), before[i] == after[i])
        << before[i].AsText() << " is read back as " << after[i].AsText();
  }
}

TEST(CheckKvDataTest, TextThatJsonCannotCarry) {
  KvData data;
  data.emplace("KEY", Json::String("canary\xFF"));
  for (const KvMount& mount : {V1(), V2()}) {
    EXPECT_THAT(CheckKvData(mount, data),
                StatusIs(ErrorKind::kUsage, AllOf(HasSubstr("KEY"), Not(HasSubstr("canary")))));
  }
  KvData nested;
  nested.emplace("KEY", Json::Array());
  nested.at("KEY").Append(Json::Object());
  EXPECT_THAT(CheckKvData(V2(), nested), IsOk());
  nested.at("KEY").Append(Json::Object().Set("\xC0\x80", Json()).Clone());
  EXPECT_THAT(CheckKvData(V2(), nested), StatusIs(ErrorKind::kUsage));
  KvData key;
  key.emplace("\xFF", Json());
  EXPECT_THAT(CheckKvData(V2(), key), StatusIs(ErrorKind::kUsage));
}

TEST(KvDataTest, AClonesValuesAreItsOwn) {
  KvData data = Data(R"({"a":"1","b":{"c":"2"}})");
  const KvData clone = CloneKvData(data);
  data.clear();
  EXPECT_THAT(Texts(clone), ElementsAre(Pair("a", "1"), Pair("b", R"({"c":"2"})")));
}

}  // namespace
}  // namespace vaultcore
