// The help texts, written by hand: they are what an operator reads first.

#ifndef APPS_GENERATOR_HELP_H_
#define APPS_GENERATOR_HELP_H_

namespace generator {

extern const char kHelp[];          // vaultSecretGenerator --help
extern const char kGenerateHelp[];  // vaultSecretGenerator generate --help, plan --help

}  // namespace generator

#endif  // APPS_GENERATOR_HELP_H_
