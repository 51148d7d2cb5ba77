// Fetching: the plan's reads, carried out.

#ifndef APPS_LOADER_FETCH_H_
#define APPS_LOADER_FETCH_H_

#include <string_view>
#include <vector>

#include "loader/assemble.h"
#include "loader/log.h"
#include "loader/plan.h"
#include "vaultcore/client/client.h"

namespace loader {

// The answer to a read of any path.
struct PathAnswer {
  vaultcore::Json data;  // its "data"
  bool leased = false;   // Vault issued something that ends with the token
};

// What fetching needs of a client; tests have their own.
class VaultReader {
 public:
  virtual ~VaultReader() = default;
  virtual std::vector<vaultcore::StatusOr<vaultcore::KvEntry>> ReadMany(
      const std::vector<vaultcore::SecretRef>& refs) = 0;
  virtual vaultcore::StatusOr<vaultcore::DatabaseCredentials> ReadDatabaseCredentials(
      const vaultcore::Mount& mount, std::string_view role) = 0;
  virtual vaultcore::StatusOr<std::vector<std::vector<std::string>>> Capabilities(
      const std::vector<std::string>& api_paths) = 0;
  // Reads of paths as they are ("s4e/data/database"), in input order.
  virtual std::vector<vaultcore::StatusOr<PathAnswer>> ReadPaths(
      const std::vector<std::string>& api_paths) = 0;
};

// A logged-in client as a reader. `client` must outlive it.
class ClientReader final : public VaultReader {
 public:
  explicit ClientReader(vaultcore::Client& client) : client_(client) {}
  std::vector<vaultcore::StatusOr<vaultcore::KvEntry>> ReadMany(
      const std::vector<vaultcore::SecretRef>& refs) override {
    return client_.ReadMany(refs);
  }
  vaultcore::StatusOr<vaultcore::DatabaseCredentials> ReadDatabaseCredentials(
      const vaultcore::Mount& mount, std::string_view role) override {
    return client_.ReadDatabaseCredentials(mount, role);
  }
  vaultcore::StatusOr<std::vector<std::vector<std::string>>> Capabilities(
      const std::vector<std::string>& api_paths) override {
    return client_.Capabilities(api_paths);
  }
  std::vector<vaultcore::StatusOr<PathAnswer>> ReadPaths(
      const std::vector<std::string>& api_paths) override;

 private:
  vaultcore::Client& client_;
};

// Reads everything of the plan, assembles it and renders its templates; warnings go to `log`. What
// may issue a lease (credentials, and any path that a template names) is read only after all
// entries have been read and found sufficient, so that a run that fails leaves no lease behind.
// Errors: of the first read that failed (the others are logged), and as CheckPresence and Assemble.
vaultcore::StatusOr<Assembled> Fetch(VaultReader& vault, const vaultcore::LoaderConfig& config,
                                     const FetchPlan& plan, const Log& log);

}  // namespace loader

#endif  // APPS_LOADER_FETCH_H_
