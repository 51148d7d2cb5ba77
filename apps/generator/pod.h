// What a pod takes from Secrets. Pure.

#ifndef APPS_GENERATOR_POD_H_
#define APPS_GENERATOR_POD_H_

#include <map>
#include <string>
#include <vector>

#include "generator/rendering.h"
#include "vaultcore/config/yaml.h"

namespace generator {

// The pod spec of a workload of any kind; a null node when `object` is none.
const vaultcore::YamlNode& PodSpecOf(const vaultcore::YamlNode& object);

// Fills in `workload.uses` and `workload.config_maps` from its pod spec. `secrets` are those of the
// same rendering: they say which keys an envFrom or a volume without items shows.
void ReadPod(const vaultcore::YamlNode& pod, const std::map<ObjectName, SecretManifest>& secrets,
             Workload& workload);

}  // namespace generator

#endif  // APPS_GENERATOR_POD_H_
