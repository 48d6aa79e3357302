#include "postgres/memory_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "whimbrel/postgres/connection_parameters.h"

namespace whimbrel::postgres {

Result<std::shared_ptr<const MemoryFile>> MemoryFile::Make(std::string_view bytes) {
  const int fd = memfd_create("whimbrel-pem", MFD_CLOEXEC);
  if (fd < 0)
    return Fail(ErrorKind::kInternal, "no file in memory could be made for a certificate");
  auto file = std::make_shared<const MemoryFile>(fd);
  bool ok = fchmod(fd, S_IRUSR | S_IWUSR) == 0;
  while (ok && !bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    ok = written > 0;
    if (ok) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (!ok) return Fail(ErrorKind::kInternal, "a certificate could not be written to memory");
  return file;
}

MemoryFile::~MemoryFile() { close(fd_); }

namespace {

Result<void> AddFile(ConnectionParameters& parameters, const char* keyword, std::string_view pem) {
  if (pem.empty()) return {};
  Result<std::shared_ptr<const MemoryFile>> file = MemoryFile::Make(pem);
  if (!file) return tl::make_unexpected(file.error());
  parameters.values[keyword] = (*file)->path();
  parameters.files.push_back(std::move(*file));
  return {};
}

}  // namespace

Result<void> AddTls(ConnectionParameters& parameters, const TlsSettings& tls) {
  if (!tls.mode.empty()) parameters.values["sslmode"] = tls.mode;
  Result<void> added = AddFile(parameters, "sslrootcert", tls.ca_pem);
  if (added) added = AddFile(parameters, "sslcert", tls.client_certificate_pem);
  if (added) added = AddFile(parameters, "sslkey", tls.client_key_pem.Reveal());
  return added;
}

}  // namespace whimbrel::postgres
