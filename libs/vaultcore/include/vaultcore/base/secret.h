// Secret: bytes that must not be copied about, printed or left behind.
//
// The bytes are on the heap (never in a short-string buffer), wiped on destruction and assignment,
// and reachable through one accessor with a name that can be searched for: Reveal(). A Secret
// cannot be copied by accident, streamed, formatted or converted. What is out of reach: kernel
// socket buffers, OpenSSL's record buffers, and the environment of a started child. Not
// thread-safe: like a string, one writer or many readers.

#ifndef VAULTCORE_BASE_SECRET_H_
#define VAULTCORE_BASE_SECRET_H_

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace vaultcore {

class Secret {
 public:
  Secret() noexcept = default;
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  // A secret with a copy of `bytes` (any bytes, NUL included).
  static Secret CopyOf(std::string_view bytes);
  // Takes the bytes over and wipes `source`, which is empty afterwards.
  static Secret TakeAndWipe(std::string& source);

  // A second secret with the same bytes: explicit, so that each copy is a decision.
  Secret Clone() const;

  // The bytes. Valid until this object is assigned to, moved from or destroyed. The only accessor.
  std::string_view Reveal() const { return {data_.get(), size_}; }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Compares in constant time for secrets of equal length.
  friend bool operator==(const Secret& a, const Secret& b);

  // GoogleTest prints the bytes of a type without a printer.
  friend void PrintTo(const Secret& secret, std::ostream* out);

 private:
  friend class SecretBuilder;
  Secret(std::unique_ptr<char[]> data, size_t size) : data_(std::move(data)), size_(size) {}

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
};

// Grows a Secret piece by piece; every buffer it outgrows is wiped.
class SecretBuilder {
 public:
  SecretBuilder() = default;
  ~SecretBuilder();
  SecretBuilder(SecretBuilder&& other) noexcept;
  SecretBuilder& operator=(SecretBuilder&& other) noexcept;
  SecretBuilder(const SecretBuilder&) = delete;
  SecretBuilder& operator=(const SecretBuilder&) = delete;

  void Reserve(size_t capacity);
  void Append(std::string_view bytes);
  void Append(char byte) { Append(std::string_view(&byte, 1)); }
  size_t size() const { return size_; }
  // What has been appended so far; valid until the next call of a non-const function.
  std::string_view Reveal() const { return {data_.get(), size_}; }
  // The secret; the builder is empty afterwards.
  Secret Take();

 private:
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Overwrites memory in a way that the compiler does not remove.
void WipeMemory(void* data, size_t size);

// Keeps secrets out of core files and out of reach of a debugger of the same user: RLIMIT_CORE 0
// and, on Linux, PR_SET_DUMPABLE 0. Call once, first thing in main(). Returns false when the system
// refused.
bool DisableCoreDumps();

}  // namespace vaultcore

#endif  // VAULTCORE_BASE_SECRET_H_
