# The call sites of an export that are in PROGRAM: operation, functions and lines from the
# call outwards, and what was asked for and released there.
def own: .module != null and (.module | endswith("/" + $program)) and .function != "_start";
[ .processes[].stacks[]
  | select(.frames | length > 0 and (.[0] | own))
  | { where: (.op + " " + ([.frames[] | select(own) | "\(.function):\(.line)"] | join(" < "))),
      blocks: .total_blocks, bytes: .total_bytes, open: .open_bytes, failed: .failed } ]
| group_by(.where)[]
| "\(.[0].where): \(map(.blocks) | add) blocks, \(map(.bytes) | add) bytes, \(map(.open) | add) open, \(map(.failed) | add) refused"
