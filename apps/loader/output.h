// Output: what is published, and where the reason of a failure is left.

#ifndef APPS_LOADER_OUTPUT_H_
#define APPS_LOADER_OUTPUT_H_

#include <string>
#include <string_view>

#include "loader/assemble.h"
#include "vaultcore/base/publish.h"
#include "vaultcore/config/loader_config.h"

namespace loader {

// The env file, the secret files and the rendered templates, with their formats and modes. The env
// file is part of it also without any variable while environment secrets are on, because the start
// command sources it. Errors: kUsage when two of all files are the same.
vaultcore::StatusOr<vaultcore::PublishSet> MakePublishSet(const vaultcore::LoaderConfig& config,
                                                          Assembled assembled);

// Overwrites the file at `path`, if it is there and can be written, with `text` (cut at the 4096
// bytes that Kubernetes shows). Never creates a file and reports nothing: it is a courtesy.
void LeaveTerminationReason(const std::string& path, std::string_view text);

}  // namespace loader

#endif  // APPS_LOADER_OUTPUT_H_
