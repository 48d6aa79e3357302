#pragma once

#include <memory>

namespace whimbrel {

template <auto Free>
struct CDeleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// Owns an object of a C library, and gives it back to that library's own function:
/// `CPtr<DIR, closedir>`.
template <class T, auto Free>
using CPtr = std::unique_ptr<T, CDeleter<Free>>;

}  // namespace whimbrel
