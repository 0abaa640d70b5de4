#include "worker/record_ring.h"

#include "base/check.h"

namespace longtail {

bool RecordRing::Fits(std::size_t words) const {
  if (is_round_) return tail_ - head_ >= words;
  return size_ - head_ >= words || tail_ >= words;
}

std::size_t RecordRing::Add(std::size_t words) {
  LONGTAIL_CHECK(Fits(words));
  if (!is_round_ && size_ - head_ < words) {
    end_ = head_;
    head_ = 0;
    is_round_ = true;
  }
  const std::size_t place = head_;
  head_ += words;
  used_ += words;
  ++record_count_;
  return place;
}

void RecordRing::DropOldest(std::size_t words) {
  LONGTAIL_CHECK(record_count_ > 0);
  tail_ += words;
  used_ -= words;
  --record_count_;
  if (is_round_ && tail_ == end_) {
    tail_ = 0;
    is_round_ = false;
  }
  if (record_count_ == 0) head_ = tail_ = 0;
}

}  // namespace longtail
