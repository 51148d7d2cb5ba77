// Certificates made in the test: a private authority and what it signs. Nothing is kept on disk
// unless a test writes it there.

#ifndef VAULTCORE_TESTS_SUPPORT_TEST_CERTIFICATES_H_
#define VAULTCORE_TESTS_SUPPORT_TEST_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vaultcore {

// PEM texts.
struct TestIdentity {
  std::string certificate;
  std::string key;
};

struct TestCertificateOptions {
  std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1"};  // empty: none
  std::string common_name = "server";
  std::chrono::seconds valid_from{-3600};  // from now
  std::chrono::seconds valid_until{3600};
};

class TestAuthority {
 public:
  explicit TestAuthority(std::string common_name);

  const std::string& certificate() const { return certificate_pem_; }
  TestIdentity Issue(const TestCertificateOptions& options = {}) const;

 private:
  struct KeyFree {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct CertificateFree {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };

  std::unique_ptr<EVP_PKEY, KeyFree> key_;
  std::unique_ptr<X509, CertificateFree> certificate_;
  std::string certificate_pem_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_TEST_CERTIFICATES_H_
