#include "vaultcore/base/secret.h"

#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cstring>
#include <ostream>
#include <utility>

namespace vaultcore {
namespace {

constexpr size_t kSmallestCapacity = 64;

}  // namespace

void WipeMemory(void* data, size_t size) {
  if (size == 0) return;
  std::memset(data, 0, size);
  // The compiler must assume that this statement reads the memory, so the memset stays.
  __asm__ __volatile__("" : : "r"(data) : "memory");
}

Secret::~Secret() { WipeMemory(data_.get(), size_); }

Secret::Secret(Secret&& other) noexcept
    : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    WipeMemory(data_.get(), size_);
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret Secret::CopyOf(std::string_view bytes) {
  if (bytes.empty()) return Secret();
  auto data = std::make_unique_for_overwrite<char[]>(bytes.size());
  std::memcpy(data.get(), bytes.data(), bytes.size());
  return Secret(std::move(data), bytes.size());
}

Secret Secret::TakeAndWipe(std::string& source) {
  Secret secret = CopyOf(source);
  // What lies between size and capacity may hold an earlier, longer content.
  source.resize(source.capacity());
  WipeMemory(source.data(), source.size());
  source.clear();
  return secret;
}

Secret Secret::Clone() const { return CopyOf(Reveal()); }

bool operator==(const Secret& a, const Secret& b) {
  if (a.size_ != b.size_) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size_; ++i) {
    difference = static_cast<unsigned char>(difference | (a.data_[i] ^ b.data_[i]));
  }
  return difference == 0;
}

void PrintTo(const Secret& secret, std::ostream* out) {
  *out << "<secret of " << secret.size() << " bytes>";
}

SecretBuilder::~SecretBuilder() { WipeMemory(data_.get(), size_); }

SecretBuilder::SecretBuilder(SecretBuilder&& other) noexcept
    : data_(std::move(other.data_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecretBuilder& SecretBuilder::operator=(SecretBuilder&& other) noexcept {
  if (this != &other) {
    WipeMemory(data_.get(), size_);
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void SecretBuilder::Reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
  WipeMemory(data_.get(), size_);
  data_ = std::move(grown);
  capacity_ = capacity;
}

void SecretBuilder::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (size_ + bytes.size() > capacity_) {
    Reserve(std::max({kSmallestCapacity, capacity_ * 2, size_ + bytes.size()}));
  }
  std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

Secret SecretBuilder::Take() {
  capacity_ = 0;
  const size_t size = std::exchange(size_, 0);
  return Secret(std::move(data_), size);
}

bool DisableCoreDumps() {
  const rlimit none = {0, 0};
  bool done = setrlimit(RLIMIT_CORE, &none) == 0;
#ifdef __linux__
  done = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && done;
#endif
  return done;
}

}  // namespace vaultcore
