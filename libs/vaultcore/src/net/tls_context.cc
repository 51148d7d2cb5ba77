#include "net/tls_context.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "net/origin.h"
#include "vaultcore/base/file.h"

namespace vaultcore::net {
namespace {

using BioPtr = OpenSslPtr<BIO, BIO_free_all>;
using X509Ptr = OpenSslPtr<X509, X509_free>;
using KeyPtr = OpenSslPtr<EVP_PKEY, EVP_PKEY_free>;

constexpr size_t kMaxPemBytes = 8 << 20;

// Where the system's authorities are: a folder with a link a certificate, named by the hash of its
// subject, from which OpenSSL reads just the one it needs; or, where there is none, one big file.
constexpr const char* kSystemFolders[] = {"/etc/ssl/certs",
                                          "/etc/pki/ca-trust/extracted/pem/directory-hash"};
constexpr const char* kSystemBundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                          "/etc/pki/tls/certs/ca-bundle.crt",
                                          "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

// "h2", "http/1.1", each behind its length.
constexpr unsigned char kAlpn[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

void InitialiseOpenSsl() {
  static const int done =
      OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS |
                           OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT,
                       nullptr);
  static_cast<void>(done);
}

// "5ed36f99.0"
bool IsHashName(std::string_view name) {
  return name.size() >= 10 && name[8] == '.' &&
         std::all_of(name.begin(), name.begin() + 8,
                     [](unsigned char c) { return absl::ascii_isxdigit(c); }) &&
         std::all_of(name.begin() + 9, name.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

struct FolderCloser {
  void operator()(DIR* folder) const { closedir(folder); }
};
using FolderPtr = std::unique_ptr<DIR, FolderCloser>;

bool HasHashedLinks(const char* path) {
  const FolderPtr folder(opendir(path));
  if (!folder) return false;
  while (const dirent* entry = readdir(folder.get())) {
    if (IsHashName(entry->d_name)) return true;
  }
  return false;
}

BioPtr Wrap(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Instead of OpenSSL's own, which asks at the terminal.
int RefusePassword(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Status Unusable(std::string_view what, std::string_view why, std::string_view hint = {}) {
  ERR_clear_error();
  std::string message(what);
  message.append(": ").append(why);
  return MakeError(ErrorKind::kUsage, message, hint);
}

// Adds every certificate in `pem` to the store; the number of them, or -1 for one that is broken.
int AddCertificates(X509_STORE* store, std::string_view pem) {
  const BioPtr bio = Wrap(pem);
  int count = 0;
  while (X509Ptr certificate{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return -1;
    ++count;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end ? count : -1;
}

StatusOr<std::string> ReadPem(const std::string& path, std::string_view what) {
  auto text = ReadTextFile(path, kMaxPemBytes);
  if (!text.ok()) {
    return MakeError(ErrorKind::kUsage,
                     std::string(what) + ": " + std::string(MessageOf(text.status())),
                     HintOf(text.status()));
  }
  return text;
}

}  // namespace

TlsContext::TlsContext(std::string certificate_name)
    : certificate_name_(std::move(certificate_name)) {}
TlsContext::~TlsContext() = default;

StatusOr<std::shared_ptr<TlsContext>> TlsContext::Make(const TlsSettings& settings,
                                                       std::string certificate_name) {
  InitialiseOpenSsl();
  std::shared_ptr<TlsContext> tls(new TlsContext(std::move(certificate_name)));
  tls->context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!tls->context_) throw std::bad_alloc();
  SSL_CTX* context = tls->context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  // Further connections of a pool resume the first one's session: half the work on both sides.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, KeepSession);
  SSL_CTX_set_app_data(context, tls.get());
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof(kAlpn));
  tls->verify_ = !settings.skip_verify;
  if (tls->verify_) VC_RETURN_IF_ERROR(tls->LoadTrust(settings));
  VC_RETURN_IF_ERROR(tls->LoadClientCertificate(settings));
  return tls;
}

// Vault's own order: a file wins over given text, that over a folder, and any of them replaces the
// system's authorities.
Status TlsContext::LoadTrust(const TlsSettings& settings) {
  X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
  if (!settings.ca_file.empty()) {
    trust_source_ = "the CA file " + settings.ca_file + " (VAULT_CACERT)";
    VC_ASSIGN_OR_RETURN(const std::string pem, ReadPem(settings.ca_file, trust_source_));
    const int count = AddCertificates(store, pem);
    if (count == 0) return Unusable(trust_source_, "it holds no certificate in PEM form");
    if (count < 0) return Unusable(trust_source_, "it holds a certificate that is damaged");
    return absl::OkStatus();
  }
  if (!settings.ca_pem.empty()) {
    trust_source_ = "the CA certificate given as text (VAULT_CACERT_BYTES)";
    const int count = AddCertificates(store, settings.ca_pem);
    if (count == 0) return Unusable(trust_source_, "it is no certificate in PEM form");
    if (count < 0) return Unusable(trust_source_, "it is damaged");
    return absl::OkStatus();
  }
  if (settings.ca_dir.empty()) {
    TrustSystem();
    return absl::OkStatus();
  }
  trust_source_ = "the CA folder " + settings.ca_dir + " (VAULT_CAPATH)";
  const FolderPtr folder(opendir(settings.ca_dir.c_str()));
  if (!folder) {
    const Status why = ErrnoError(errno, "read", settings.ca_dir);
    return Unusable(trust_source_, MessageOf(why), HintOf(why));
  }
  int total = 0;
  while (const dirent* entry = readdir(folder.get())) {
    // Links by hash only repeat what the folder holds under proper names.
    if (entry->d_name[0] == '.' || entry->d_type == DT_DIR ||
        (entry->d_type == DT_LNK && IsHashName(entry->d_name))) {
      continue;
    }
    const std::string path = settings.ca_dir + "/" + entry->d_name;
    auto pem = ReadTextFile(path, kMaxPemBytes);
    // A folder may hold folders behind links, keys and notes: only certificates count.
    if (!pem.ok()) continue;
    total += std::max(AddCertificates(store, *pem), 0);
  }
  if (total == 0) return Unusable(trust_source_, "it holds no certificate in PEM form");
  return absl::OkStatus();
}

void TlsContext::TrustSystem() {
  bool lazy = false;
  for (const char* folder : kSystemFolders) {
    if (HasHashedLinks(folder)) lazy |= SSL_CTX_load_verify_dir(context_.get(), folder) == 1;
  }
  if (!lazy) {
    for (const char* bundle : kSystemBundles) {
      if (SSL_CTX_load_verify_file(context_.get(), bundle) == 1) break;
    }
  }
  // Having none is told when a certificate cannot be verified.
  ERR_clear_error();
}

Status TlsContext::LoadClientCertificate(const TlsSettings& settings) {
  if (settings.client_cert.empty() && settings.client_key.empty()) return absl::OkStatus();
  if (settings.client_cert.empty() || settings.client_key.empty()) {
    return MakeError(ErrorKind::kUsage,
                     settings.client_cert.empty()
                         ? "there is a client key (VAULT_CLIENT_KEY) but no client certificate"
                         : "there is a client certificate (VAULT_CLIENT_CERT) but no client key",
                     "set both VAULT_CLIENT_CERT and VAULT_CLIENT_KEY, or neither");
  }
  const std::string what =
      "the client certificate " + settings.client_cert + " (VAULT_CLIENT_CERT)";
  VC_ASSIGN_OR_RETURN(const std::string chain, ReadPem(settings.client_cert, what));
  const BioPtr chain_bio = Wrap(chain);
  const X509Ptr leaf(PEM_read_bio_X509_AUX(chain_bio.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context_.get(), leaf.get()) != 1) {
    return Unusable(what, "it holds no usable certificate in PEM form");
  }
  while (X509Ptr issuer{PEM_read_bio_X509(chain_bio.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context_.get(), issuer.get()) != 1) {
      return Unusable(what, "one of its certificates is unusable");
    }
  }

  const std::string key_what = "the client key " + settings.client_key + " (VAULT_CLIENT_KEY)";
  auto key_pem = ReadSecretFile(settings.client_key, kMaxPemBytes);
  if (!key_pem.ok()) {
    return Unusable(key_what, MessageOf(key_pem.status()), HintOf(key_pem.status()));
  }
  bool encrypted = false;
  const BioPtr key_bio = Wrap(key_pem->Reveal());
  const KeyPtr key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, RefusePassword, &encrypted));
  if (encrypted) {
    return Unusable(key_what, "it is protected by a password",
                    "give a key without one: openssl pkey -in KEY -out NEW_KEY");
  }
  if (!key) return Unusable(key_what, "it holds no usable private key in PEM form");
  if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) {
    return Unusable(key_what, "it does not belong to the certificate " + settings.client_cert);
  }
  ERR_clear_error();
  has_client_certificate_ = true;
  return absl::OkStatus();
}

SslPtr TlsContext::NewConnection() const {
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) throw std::bad_alloc();
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl.get());
  if (IsIpLiteral(certificate_name_)) {
    X509_VERIFY_PARAM_set1_ip_asc(rules, certificate_name_.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl.get(), certificate_name_.c_str());
    // As Vault's own client: the names in the certificate count, its common name does not.
    X509_VERIFY_PARAM_set_hostflags(
        rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    X509_VERIFY_PARAM_set1_host(rules, certificate_name_.data(), certificate_name_.size());
  }
  SSL_set_verify(ssl.get(), verify_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (session_) {
    // OpenSSL lets a TLS 1.3 session be resumed once, but a pool resumes it many times at once.
    const SessionPtr copy(SSL_SESSION_dup(session_.get()));
    if (copy) SSL_set_session(ssl.get(), copy.get());
  }
  return ssl;
}

int TlsContext::KeepSession(SSL* ssl, SSL_SESSION* session) {
  auto* self = static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  self->session_.reset(session);
  return 1;  // the reference is ours now
}

}  // namespace vaultcore::net
