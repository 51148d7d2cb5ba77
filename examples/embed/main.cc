// How to embed libvaultcore: log in with a token, write an entry if it is absent, read several at
// once.
//
//   VAULT_ADDR=https://... VAULT_TOKEN=... VAULT_CACERT=... embed_example <mount> <path>
//
// Prints the names and lengths of what it reads, never a value. The library never reads the
// environment: a program decides what to take from it.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "vaultcore/client/client.h"
#include "vaultcore/config/environment.h"

namespace {

using namespace vaultcore;  // NOLINT: an example reads better so

std::optional<std::string> FromProcess(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

StatusOr<Client> ConnectFromEnvironment() {
  ClientOptions options;
  VC_ASSIGN_OR_RETURN(std::optional<Endpoint> address, VaultAddressFrom(FromProcess));
  if (!address) return MakeError(ErrorKind::kUsage, "VAULT_ADDR is not set");
  options.connection.address = *address;
  VC_RETURN_IF_ERROR(ApplyVaultEnvironment(FromProcess, options.connection));
  options.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  VC_ASSIGN_OR_RETURN(auto auth,
                      MakeTokenAuth(Secret::CopyOf(FromProcess("VAULT_TOKEN").value_or(""))));
  return Client::Connect(std::move(options), std::move(auth));
}

Status Run(std::string_view mount_text, std::string_view path_text) {
  VC_ASSIGN_OR_RETURN(Client vault, ConnectFromEnvironment());
  VC_ASSIGN_OR_RETURN(Mount mount, Mount::Parse(mount_text));
  VC_ASSIGN_OR_RETURN(SecretPath path, SecretPath::Parse(path_text));
  SecretRef ref{mount, path};

  // Check-and-set 0: only if the entry was never written. Somebody who was faster is no failure
  // here.
  KvWrite greeting{ref, {}, CheckAndSet{0}};
  greeting.data.emplace("greeting", Json::String("hello"));
  StatusOr<uint64_t> version = vault.Write(greeting);
  if (!version.ok() && KindOf(version.status()) != ErrorKind::kConflict) return version.status();

  for (const StatusOr<KvEntry>& entry : vault.ReadMany({ref})) {
    VC_RETURN_IF_ERROR(entry.status());
    std::printf("%s, version %llu\n", ref.ToString().c_str(),
                static_cast<unsigned long long>(entry->version));
    for (const auto& [key, value] : entry->data) {
      std::printf("  %s: %zu bytes\n", key.c_str(), KvText(value).size());
    }
  }
  return vault.Logout();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: embed_example <mount> <path>\n");
    return static_cast<int>(ExitCode::kUsage);
  }
  Status status = Run(argv[1], argv[2]);
  if (!status.ok()) {
    std::fprintf(stderr, "embed_example: %s\n", std::string(MessageOf(status)).c_str());
    std::string hint = HintOf(status);
    if (!hint.empty()) std::fprintf(stderr, "embed_example: hint: %s\n", hint.c_str());
  }
  return static_cast<int>(ExitCodeFor(status));
}
