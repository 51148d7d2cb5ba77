// Makes another program's messages fit to be shown: everything known or likely to be secret is
// taken out. Pure.

#ifndef APPS_GENERATOR_SCRUB_H_
#define APPS_GENERATOR_SCRUB_H_

#include <string>
#include <string_view>
#include <vector>

#include "generator/value.h"

namespace generator {

class Scrubber {
 public:
  // A value that must not be shown, as it is, in base64 and line by line. Too short ones (under
  // four bytes) are left out: they would hide half of every message.
  void Add(std::string_view secret);

  // `text` with "[hidden]" for every value added, for PEM blocks, Vault tokens, passwords in URLs
  // and long runs of characters that look random. Control characters but newlines are dropped.
  std::string Clean(std::string_view text) const;

 private:
  std::vector<Value> secrets_;
};

}  // namespace generator

#endif  // APPS_GENERATOR_SCRUB_H_
