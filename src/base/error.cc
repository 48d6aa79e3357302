#include "whimbrel/base/error.h"

namespace whimbrel {

std::string_view ToString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return "InvalidArgument";
    case ErrorKind::kNotFound:
      return "NotFound";
    case ErrorKind::kAlreadyExists:
      return "AlreadyExists";
    case ErrorKind::kConflict:
      return "Conflict";
    case ErrorKind::kPermissionDenied:
      return "PermissionDenied";
    case ErrorKind::kUnauthenticated:
      return "Unauthenticated";
    case ErrorKind::kUnavailable:
      return "Unavailable";
    case ErrorKind::kDeadlineExceeded:
      return "DeadlineExceeded";
    case ErrorKind::kCancelled:
      return "Cancelled";
    case ErrorKind::kSourceChanged:
      return "SourceChanged";
    case ErrorKind::kInternal:
      break;
  }
  return "Internal";
}

std::string Error::ToString() const {
  const std::string where = position ? position->ToString() : std::string();
  return where.empty() ? message : where + ": " + message;
}

}  // namespace whimbrel
