// Package seal holds what makes a log provable: signed checkpoints (C2SP
// tlog-checkpoint), the keys that sign them, proofs over the tree of leaves
// (RFC 6962), witnesses and their cosignatures (C2SP tlog-witness,
// tlog-cosignature), and the one file of a verified export with its offline
// verifier. It knows no database and no event: docs/verify.md has the formats,
// so that somebody else can write a verifier from that page alone.
package seal
