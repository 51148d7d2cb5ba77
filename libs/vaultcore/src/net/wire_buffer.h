// WireBuffer: bytes on their way to or from the wire. Appended at one end, consumed at the other;
// whatever has been consumed or outgrown is wiped, because it may have held a secret.

#ifndef VAULTCORE_NET_WIRE_BUFFER_H_
#define VAULTCORE_NET_WIRE_BUFFER_H_

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "vaultcore/base/secret.h"

namespace vaultcore::net {

class WireBuffer {
 public:
  WireBuffer() = default;
  ~WireBuffer() { WipeMemory(data_.get() + begin_, end_ - begin_); }
  WireBuffer(const WireBuffer&) = delete;
  WireBuffer& operator=(const WireBuffer&) = delete;

  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  // Valid until the next call of a non-const function.
  std::string_view View() const { return {data_.get() + begin_, size()}; }

  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (capacity_ - end_ < bytes.size()) MakeRoom(bytes.size());
    std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  void Consume(size_t count) {
    WipeMemory(data_.get() + begin_, count);
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

 private:
  void MakeRoom(size_t more) {
    const size_t used = size();
    const size_t capacity = std::max<size_t>({1024, 2 * used, used + more});
    auto data = std::make_unique<char[]>(capacity);
    if (used > 0) std::memcpy(data.get(), data_.get() + begin_, used);
    WipeMemory(data_.get() + begin_, used);
    data_ = std::move(data);
    capacity_ = capacity;
    begin_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_WIRE_BUFFER_H_
