// The hot parts of a read and a write: parsing an answer, building a request.

#include <benchmark/benchmark.h>

#include <string>

#include "vaultcore/api/json.h"
#include "vaultcore/api/kv.h"

namespace vaultcore {
namespace {

std::string AnswerWithKeys(int64_t keys) {
  std::string body = R"({"request_id":"0d2c","lease_id":"","renewable":false,"data":{"data":{)";
  for (int64_t i = 0; i < keys; ++i) {
    if (i > 0) body += ',';
    body += "\"SERVICE_SECRET_" + std::to_string(i) + "\":\"Zk3vQ8mN1xT7bR5cW9dL2fH6gJ0pS4aY\"";
  }
  body +=
      R"(},"metadata":{"created_time":"2024-01-01T00:00:00Z","custom_metadata":null,"deletion_time":"","destroyed":false,"version":3}}})";
  return body;
}

void ParseAnswer(benchmark::State& state) {
  const KvMount mount{*Mount::Parse("secret"), KvVersion::kV2};
  const SecretPath path = *SecretPath::Parse("harness/log-service/env-secrets");
  HttpResponse response;
  response.status = 200;
  response.body = Secret::CopyOf(AnswerWithKeys(state.range(0)));
  for (auto _ : state) {
    auto entry = ParseKvRead(mount, path, response);
    benchmark::DoNotOptimize(entry);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(response.body.size()));
}
BENCHMARK(ParseAnswer)->Arg(1)->Arg(10)->Arg(1000);

void BuildWrite(benchmark::State& state) {
  const KvMount mount{*Mount::Parse("secret"), KvVersion::kV2};
  const SecretPath path = *SecretPath::Parse("harness/log-service/env-secrets");
  HttpResponse response;
  response.status = 200;
  response.body = Secret::CopyOf(AnswerWithKeys(state.range(0)));
  const KvData data = std::move(ParseKvRead(mount, path, response)->data);
  for (auto _ : state) {
    HttpRequest request = BuildKvWrite(mount, path, data, CheckAndSet{3});
    benchmark::DoNotOptimize(request);
  }
}
BENCHMARK(BuildWrite)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace vaultcore
