// Runs a fuzz target once over each file named, without libFuzzer: the corpus as a test.

#include <cstdint>
#include <cstdio>

#include "vaultcore/base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "no corpus files\n");
    return 1;
  }
  for (int i = 1; i < argc; ++i) {
    const auto text = vaultcore::ReadTextFile(argv[i]);
    if (!text.ok()) {
      std::fprintf(stderr, "%s: not readable\n", argv[i]);
      return 1;
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text->data()), text->size());
  }
  std::printf("%d inputs replayed\n", argc - 1);
  return 0;
}
