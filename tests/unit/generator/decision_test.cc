#include "generator/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"
#include "unit/generator/samples.h"
#include "vaultcore/base/encoding.h"

namespace generator {
namespace {

using testing::ElementsAre;

// One service "web" that needs these variables from Secret s, whose data the two renderings show.
class Deciding {
 public:
  Deciding(std::string first, std::string second)
      : first_(std::move(first)), second_(std::move(second)) {}

  Deciding& Env(const std::string& name, const std::string& key, const std::string& secret = "s") {
    env_ += EnvLine(name, secret, key);
    return *this;
  }
  // Somebody goes on taking this from Kubernetes.
  Deciding& Staying(const std::string& key, const std::string& secret = "s") {
    staying_ += Deployment("db", "        env:\n" + EnvLine("X", secret, key));
    return *this;
  }
  Deciding& Loader(const std::string& lines) {
    loader_ = lines;
    return *this;
  }

  Decisions Decide(const OwnValues& own = {}) {
    const Rendering first = Read(Manifests(first_));
    const Rendering second = Read(Manifests(second_));
    const Rendering on =
        Read(staying_ + Deployment("web", "") + LoaderYaml("web", "web", "harness", loader_) +
             SecretYaml("db", "s", first_));
    vaultcore::StatusOr<Needs> needs = FindNeeds(first, on, SampleDefaults());
    EXPECT_THAT(needs, vaultcore::IsOk());
    needs_ = *std::move(needs);
    return generator::Decide(needs_, first, second, own);
  }
  const Decision& Of(const Decisions& decisions, const std::string& key) const {
    for (size_t i = 0; i < needs_.needs.size(); ++i) {
      if (needs_.needs[i].place.key == key) return decisions.by_need[i];
    }
    ADD_FAILURE() << "no need " << key;
    return decisions.by_need.front();
  }

 private:
  std::string Manifests(const std::string& data) const {
    return SecretYaml("web", "s", data) + staying_ + Deployment("web", "        env:\n" + env_);
  }

  std::string first_, second_, env_, staying_, loader_;
  Needs needs_;
};

TEST(Decide, TellsInventedFromConstantFromEmptyFromAbsent) {
  Deciding deciding("{r: abcdABCD1234, c: constant-of-chart, e: '', p: '<your key>'}",
                    "{r: efghEFGH5678, c: constant-of-chart, e: '', p: '<your key>'}");
  deciding.Env("R", "r").Env("C", "c").Env("E", "e").Env("P", "p").Env("X", "x").Env("Y", "y", "t");
  const Decisions decisions = deciding.Decide();
  EXPECT_EQ(deciding.Of(decisions, "R").cls, Class::kGenerated);
  EXPECT_EQ(deciding.Of(decisions, "C").cls, Class::kConstant);
  EXPECT_TRUE(deciding.Of(decisions, "C").is_public);
  EXPECT_EQ(deciding.Of(decisions, "E").reason, Reason::kEmpty);
  EXPECT_EQ(deciding.Of(decisions, "P").reason, Reason::kPlaceholder);
  EXPECT_EQ(deciding.Of(decisions, "X").reason, Reason::kAbsent);
  EXPECT_EQ(deciding.Of(decisions, "Y").reason, Reason::kAbsent);
}

TEST(Decide, TheOperatorsOwnValuesAreNotPublic) {
  Deciding deciding("{c: my-own-password}", "{c: my-own-password}");
  deciding.Env("C", "c");
  const Decisions decisions = deciding.Decide({MakeValue("my-own-password")});
  EXPECT_TRUE(deciding.Of(decisions, "C").from_values);
  EXPECT_FALSE(deciding.Of(decisions, "C").is_public);
}

TEST(Decide, WhatStaysInKubernetesIsNeverInvented) {
  Deciding deciding("{r: abcdABCD1234, c: constant-of-chart}",
                    "{r: efghEFGH5678, c: constant-of-chart}");
  deciding.Env("R", "r").Env("C", "c").Staying("r").Staying("c");
  const Decisions decisions = deciding.Decide();
  EXPECT_EQ(deciding.Of(decisions, "R").cls, Class::kExternal);
  EXPECT_EQ(deciding.Of(decisions, "R").reason, Reason::kKubernetes);
  EXPECT_EQ(deciding.Of(decisions, "C").cls, Class::kConstant);
}

TEST(Decide, NorIsWhatHoldsAValueThatStays) {
  Deciding deciding("{r: abcdABCD1234, url: 'pg://u:abcdABCD1234@h'}",
                    "{r: efghEFGH5678, url: 'pg://u:efghEFGH5678@h'}");
  deciding.Env("URL", "url").Staying("r");
  const Decisions decisions = deciding.Decide();
  EXPECT_EQ(deciding.Of(decisions, "URL").reason, Reason::kKubernetes);
}

TEST(Decide, ATextAroundANewValueIsRenderedAndSaysWhichValue) {
  Deciding deciding("{r: abcdABCD1234, url: 'pg://u:abcdABCD1234@h'}",
                    "{r: efghEFGH5678, url: 'pg://u:efghEFGH5678@h'}");
  deciding.Env("URL", "url").Env("R", "r");
  const Decisions decisions = deciding.Decide();
  const Decision& url = deciding.Of(decisions, "URL");
  EXPECT_EQ(url.cls, Class::kRendered);
  EXPECT_THAT(url.embeds, ElementsAre(SourceOf("s", "r")));
  EXPECT_NE(url.group, deciding.Of(decisions, "R").group);
}

TEST(Decide, GroupsBySourceAndByValue) {
  Deciding deciding(
      "{r: abcdABCD1234, same: abcdABCD1234, jwt-secret: shared-constant, token: shared-constant, "
      "user: administrator, username: administrator}",
      "{r: efghEFGH5678, same: efghEFGH5678, jwt-secret: shared-constant, token: shared-constant, "
      "user: administrator, username: administrator}");
  deciding.Env("R", "r").Env("R2", "r").Env("SAME", "same").Env("J", "jwt-secret");
  deciding.Env("T", "token").Env("U", "user").Env("V", "username");
  const Decisions decisions = deciding.Decide();
  const auto group = [&](const char* key) { return deciding.Of(decisions, key).group; };
  EXPECT_EQ(group("R"), group("R2"));
  EXPECT_EQ(group("R"), group("SAME"));
  EXPECT_EQ(group("J"), group("T"));
  EXPECT_NE(group("U"), group("V"));  // equal by chance
  EXPECT_NE(group("R"), group("J"));
}

constexpr char kMongo[] =
    "    databases:\n    - {type: mongo, useDatabaseSecretsEngine: \"false\", "
    "passwordEnvSecrets: [P]}\n";

TEST(Decide, APasswordThatOnlyClientsKnowIsNotInvented) {
  Deciding deciding("{p: abcdABCD1234}", "{p: efghEFGH5678}");
  deciding.Env("P", "p").Loader(kMongo);
  const Decisions decisions = deciding.Decide();
  EXPECT_EQ(deciding.Of(decisions, "password").cls, Class::kExternal);
  EXPECT_EQ(deciding.Of(decisions, "password").reason, Reason::kDatabase);
}

TEST(Decide, APasswordThatTheServerTakesFromVaultTooIsInventedOnce) {
  Deciding deciding("{p: abcdABCD1234}", "{p: efghEFGH5678}");
  deciding.Env("P", "p").Env("SERVER_PASSWORD", "p").Loader(kMongo);
  const Decisions decisions = deciding.Decide();
  EXPECT_EQ(deciding.Of(decisions, "password").cls, Class::kGenerated);
  EXPECT_EQ(deciding.Of(decisions, "password").group,
            deciding.Of(decisions, "SERVER_PASSWORD").group);
}

TEST(Decide, AConstantOfADatabaseIsUploaded) {
  Deciding deciding("{p: constant-of-chart}", "{p: constant-of-chart}");
  deciding.Env("P", "p").Loader(kMongo);
  EXPECT_EQ(deciding.Of(deciding.Decide(), "password").cls, Class::kConstant);
}

TEST(Decide, CertificatesOfOneSecretAreOneBundle) {
  const auto data = [](const std::string& x) {
    return "{crt: \"-----BEGIN CERTIFICATE----- " + x + "\", key: \"-----BEGIN PRIVATE KEY----- " +
           x + "\", r: abcdABCD" + x + "}";
  };
  Deciding deciding(data("1111"), data("2222"));
  deciding.Env("CRT", "crt").Env("KEY", "key").Env("R", "r");
  const Decisions decisions = deciding.Decide();
  const auto bundle = [&](const char* key) {
    return decisions.bundle_of_token[*OnlyToken(deciding.Of(decisions, key).recipe)];
  };
  EXPECT_EQ(deciding.Of(decisions, "CRT").cls, Class::kRendered);
  EXPECT_EQ(bundle("CRT"), bundle("KEY"));
}

TEST(Decide, AHashOfANewPasswordIsANewHash) {
  // Of "abc" and of "aaa".
  Deciding deciding(
      "{p: abc, htpasswd: 'u:$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'}",
      "{p: aaa, htpasswd: 'u:$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.a'}");
  deciding.Env("P", "p").Env("H", "htpasswd");
  const Decisions decisions = deciding.Decide();
  const size_t password = *OnlyToken(deciding.Of(decisions, "P").recipe);
  const std::set<size_t> tokens = TokensOf(deciding.Of(decisions, "H").recipe);
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(decisions.tokens[*tokens.begin()].fate, Token::Fate::kBcrypt);
  EXPECT_EQ(decisions.tokens[*tokens.begin()].hashed, password);
}

// The password of a keystore that cannot be made anew stays as well.
TEST(Decide, AKeystoreKeepsItsPassword) {
  const auto secret = [](const std::string& bytes, const std::string& password) {
    return "---\n# Source: acme/charts/web/templates/s.yaml\nkind: Secret\nmetadata: {name: s}\n"
           "data: {store: " +
           std::string(vaultcore::Base64Encode(bytes).Reveal()) +
           "}\nstringData: {password: " + password + "}\n" +
           Deployment("web", "        env:\n" + EnvLine("P", "s", "password"));
  };
  const Rendering first = Read(secret("\xFE\xED\x01", "abcdABCD1234"));
  const Rendering second = Read(secret("\xFE\xED\x02", "efghEFGH5678"));
  const auto needs =
      FindNeeds(first, Read(Deployment("web", "") + LoaderYaml("web", "web")), SampleDefaults());
  ASSERT_THAT(needs, vaultcore::IsOk());
  const Decisions decisions = generator::Decide(*needs, first, second, {});
  EXPECT_EQ(decisions.by_need.at(0).cls, Class::kRendered);
}

TEST(IsPlaceholder, IsWhatAsksToBeReplaced) {
  EXPECT_TRUE(IsPlaceholder("<license>"));
  EXPECT_TRUE(IsPlaceholder("REPLACE_ME"));
  EXPECT_TRUE(IsPlaceholder("replace-with-your-key"));
  // These work, and other parts rely on them.
  EXPECT_FALSE(IsPlaceholder("changeit"));
  EXPECT_FALSE(IsPlaceholder("changeme"));
  EXPECT_FALSE(IsPlaceholder(""));
}

TEST(IsSharedConstant, IsNotForWordsThatAreEqualByChance) {
  EXPECT_TRUE(IsSharedConstant("jwtSecret", "a-shared-secret"));
  EXPECT_TRUE(IsSharedConstant("ACCESS_KEY_ID", "AKIAABCDEFGH"));
  EXPECT_FALSE(IsSharedConstant("jwtSecret", "short"));
  EXPECT_FALSE(IsSharedConstant("port", "1234567890"));
  EXPECT_FALSE(IsSharedConstant("DB_USER", "administrator"));
  EXPECT_FALSE(IsSharedConstant("host", "postgres.example"));
}

}  // namespace
}  // namespace generator
