// A store of a test's own: a directory, a namespace of the test's Ceph, a prefix of its etcd.
#pragma once

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "io/this_process.h"
#include "server/scratch_directory.h"
#include "support/ceph_node.h"
#include "support/etcd_node.h"

namespace longtail::test {

class StorePlace {
 public:
  /// `kind` is file, rados or etcd. Null where that store is not here; the output says so then, and
  /// the test is to return.
  static std::unique_ptr<StorePlace> Make(const std::string& kind) {
    std::unique_ptr<StorePlace> place(new StorePlace());
    if (kind == "file") {
      place->directory_ = std::make_unique<ScratchDirectory>();
      place->address_ = place->directory_->path();
      place->described_ = "file:" + place->address_;
      return place;
    }
    const std::string own = absl::StrCat("test-", absl::Hex(DrawIncarnation()));
    if (kind == "rados" && CephNode::IsHere()) {
      place->described_ = "rados://longtail/" + own;
      place->address_ = place->described_ + CephNode::Options();
    } else if (kind == "etcd" && EtcdNode::IsHere()) {
      place->described_ = absl::StrCat("etcd://", EtcdNode::Endpoint(), "/", own);
      place->address_ = place->described_;
    } else {
      std::cout << "[skip] no " << kind << " here: its server or its library is not installed\n";
      return nullptr;
    }
    return place;
  }

  const std::string& address() const { return address_; }

  /// With further options: "lease=2".
  std::string With(const std::string& options) const {
    if (directory_ != nullptr) return address_;  // A directory has none.
    return absl::StrCat(address_, address_.find('?') == std::string::npos ? "?" : "&", options);
  }

  /// As messages name it.
  const std::string& described() const { return described_; }

 private:
  StorePlace() = default;

  std::unique_ptr<ScratchDirectory> directory_;
  std::string address_;
  std::string described_;
};

}  // namespace longtail::test
