#pragma once

#include <libpq-fe.h>

#include <memory>

namespace whimbrel::postgres {

/// Owners of what libpq allocates.
template <auto Free>
struct PqDeleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using ConnPtr = std::unique_ptr<PGconn, PqDeleter<&PQfinish>>;
using ResultPtr = std::unique_ptr<PGresult, PqDeleter<&PQclear>>;
using CancelPtr = std::unique_ptr<PGcancel, PqDeleter<&PQfreeCancel>>;
using OptionsPtr = std::unique_ptr<PQconninfoOption, PqDeleter<&PQconninfoFree>>;
using PqString = std::unique_ptr<char, PqDeleter<&PQfreemem>>;

}  // namespace whimbrel::postgres
