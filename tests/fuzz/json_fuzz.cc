// Json::Parse on any bytes: an error, or a value that survives being written and read again.

#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "vaultcore/api/json.h"
#include "vaultcore/base/encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vaultcore::Check;
  using vaultcore::Json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = Json::Parse(text);
  if (!json.ok()) {
    vaultcore::CheckError(json.status());
    return 0;
  }
  Check(vaultcore::IsValidUtf8(text), "only UTF-8 is JSON");
  const vaultcore::Secret dumped = json->Dump();
  Check(vaultcore::IsValidUtf8(dumped.Reveal()), "what is written is UTF-8");
  const auto again = Json::Parse(dumped.Reveal());
  Check(again.ok() && *again == *json, "what is written is read back the same");
  Check(again->Dump() == dumped, "writing is stable");
  const auto pretty = Json::Parse(json->DumpPretty().Reveal());
  Check(pretty.ok() && *pretty == *json, "pretty text is the same value");
  Check(json->Clone() == *json, "a clone is equal");
  return 0;
}
