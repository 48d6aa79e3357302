#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// Reads a whole file once, gives its pieces to `visit`, without a byte order mark at the
/// beginning, and returns the offset at which the text begins. Errors: what is not UTF-8 as
/// PostgreSQL takes it, with its position (kInvalidArgument), and a file that is not the one that
/// was hashed when the source was opened (kSourceChanged).
Result<std::uint64_t> ReadText(const SourceFile& file,
                               const std::function<void(std::string_view)>& visit);

/// The position of a byte, for messages: reads the file again. Line 0 when that is not possible.
SourcePosition PositionAt(const SourceFile& file, std::uint64_t offset);

}  // namespace whimbrel::migration
