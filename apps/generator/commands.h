// The shell commands that the report tells people to run. Pure.

#ifndef APPS_GENERATOR_COMMANDS_H_
#define APPS_GENERATOR_COMMANDS_H_

#include <string>
#include <string_view>

#include "generator/needs.h"
#include "generator/rendering.h"

namespace generator {

// `text` as one word of sh: bare where it may be, else in single quotes.
std::string ShellWord(std::string_view text);

// What adds one key to an entry, its value from standard input, so that it stays out of the shell's
// history. With the generator's policy: `-method=rw`, because that has no patch capability; `kv put
// -cas=0` for an entry that does not exist yet. On KV v1, whose command line cannot add a key, an
// entry that exists is left to --input-json.
std::string AddKeyCommand(const Place& place, bool entry_exists, bool is_v1);

// What stands before AddKeyCommand's for a TLS key: the file and a pipe. A keystore goes in as
// base64, because Vault holds text; a password comes from the terminal, without a pipe.
std::string ReadFileCommand(std::string_view key);

// What reads a Secret's value from the cluster: to be piped into AddKeyCommand's.
std::string ReadSecretCommand(const Source& source);

}  // namespace generator

#endif  // APPS_GENERATOR_COMMANDS_H_
