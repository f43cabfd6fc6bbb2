#!/usr/bin/env python3
"""Verifies a verified export of OnRecord: python3 verify.py FILE VKEY [SINCE]

Written from verify.md alone, to show that nothing else is needed. Exit status 0
if the file is proved to be a true copy of the log, 1 with what is wrong if not.
Python's standard library is enough; with the package cryptography or PyNaCl the
one signature is checked by that.
"""
import base64
import hashlib
import json
import re
import sys


class Wrong(Exception):
    pass


# --- Ed25519 -----------------------------------------------------------------

def check_signature(public, message, signature):
    """True if it is the signature of message by the key."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        pass
    else:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
            return True
        except (InvalidSignature, ValueError):
            return False
    try:
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey
    except ImportError:
        return rfc8032(public, message, signature)
    try:
        VerifyKey(public).verify(message, signature)
        return True
    except (BadSignatureError, ValueError):
        return False


P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1


def rfc8032(public, message, signature):
    """Ed25519 (RFC 8032 section 5.1.7), slowly."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(s, BASE), plus(r, times(h, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def point(data):
    """The point that 32 bytes stand for, as (X, Y, Z, T)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def plus(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = plus(total, p)
        p, n = plus(p, p), n >> 1
    return total


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


# --- Formats -----------------------------------------------------------------

def sha256(data):
    return hashlib.sha256(data).digest()


def unbase64(text):
    """Bytes from base64, in the one way that an encoder writes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Wrong(f"{text!r} is not base64")
    if base64.b64encode(data).decode() != text:
        raise Wrong(f"{text!r} is not how base64 is written")
    return data


def hash_of(text):
    data = unbase64(text)
    if len(data) != 32:
        raise Wrong(f"{text!r} is no SHA-256")
    return data


def no_fraction(text):
    raise Wrong(f"{text} is no whole number")


def whole(text):
    n = int(text)
    if abs(n) >= 2**53 or str(n) != text:
        raise Wrong(f"{text} is no whole number below 2^53 in its shortest form")
    return n


def parse(line):
    """The value of a line of canonical JSON."""
    try:
        text = line.decode("utf-8")
        value = json.loads(text, parse_float=no_fraction, parse_int=whole, parse_constant=no_fraction)
    except (ValueError, RecursionError):
        raise Wrong("not JSON in UTF-8")
    if encode(value) != line:
        raise Wrong("not canonical JSON (RFC 8785)")
    if not plain(value):
        raise Wrong("a value or a member's name that no export has")
    return value


def encode(value):
    """RFC 8785, for values without fractions."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        raise Wrong("text that is not valid")


def plain(value):
    if isinstance(value, dict):
        return all(re.fullmatch("[a-z0-9_]+", name) and plain(v) for name, v in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return isinstance(value, (str, int))  # True and False are int


def number(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def parse_key(vkey, origin):
    """The public key and the 4 bytes that mark its signatures of a log."""
    name, hash, data = (vkey.split("+", 2) + ["", ""])[:3]
    data = unbase64(data)
    if len(data) != 33 or data[0] != 1 or sha256(name.encode() + b"\n" + data)[:4].hex() != hash:
        raise Wrong("the key is no verifier key of a log")
    if origin != name and not origin.startswith(name + "/"):
        raise Wrong(f"the key of {name} does not speak for {origin}")
    return data[1:], sha256(origin.encode() + b"\n" + data)[:4]


def open_checkpoint(note, vkey):
    """Origin, size and root of a checkpoint that the key has signed."""
    text, empty, signatures = note.rpartition("\n\n")
    lines = (text + "\n").split("\n")
    if not empty or len(lines) != 4 or not re.fullmatch("0|[1-9][0-9]*", lines[1]) or not signatures.endswith("\n"):
        raise Wrong("the checkpoint is none")
    origin, size, root = lines[0], int(lines[1]), hash_of(lines[2])
    public, mark = parse_key(vkey, origin)
    signed = False
    for line in signatures[:-1].split("\n"):
        dash, name, sig = (line.split(" ") + ["", ""])[:3]
        sig = unbase64(sig)
        if dash != "\u2014" or not name or len(sig) < 5:
            raise Wrong("the checkpoint has a line that is no signature")
        if name == origin and sig[:4] == mark:
            if not check_signature(public, (text + "\n").encode(), sig[4:]):
                raise Wrong("the signature of the checkpoint is wrong")
            signed = True
    if not signed:
        raise Wrong("the key has not signed the checkpoint")
    return origin, size, root


class Tree:
    """The hash of a tree, from the left."""

    def __init__(self):
        self.size, self.stack = 0, []

    def push(self, level, hash):
        if self.size % 2**level:
            raise Wrong(f"a subtree of height {level} cannot begin at leaf {self.size}")
        self.size += 2**level
        while self.stack and self.stack[-1][0] == level:
            hash = sha256(b"\x01" + self.stack.pop()[1] + hash)
            level += 1
        self.stack.append((level, hash))

    def root(self):
        if not self.stack:
            return sha256(b"")
        hash = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            hash = sha256(b"\x01" + left + hash)
        return hash


# --- The steps ---------------------------------------------------------------

MAX_LINE = 2162688


def lines_of(file):
    """The lines with their numbers, the last one marked."""
    n, line = 1, file.readline(MAX_LINE + 2)
    while line:
        following = file.readline(MAX_LINE + 2)
        if not line.endswith(b"\n") or len(line) > MAX_LINE + 1:
            raise Wrong(f"line {n} is too long, or the file ends within it")
        yield n, line, not following
        n, line = n + 1, following


def check_event(value, log):
    if sorted(value) != ["event", "hash", "leaf", "what", "who"] or not isinstance(value["event"], dict):
        raise Wrong("not the members that the line of an event has")
    event = value["event"]
    hash = sha256(b"\0" + encode(event))
    if hash_of(value["hash"]) != hash:
        raise Wrong("the event was changed")
    if not number(event.get("v")) or event["v"] < 1 or not isinstance(event.get("id"), str) or not event["id"]:
        raise Wrong("the event has no id or version")
    if event.get("log") != log:
        raise Wrong("the event is of another log")
    for part in ("who", "what"):
        check_part(part, value[part], event)
    return hash


def check_part(part, value, event):
    if value == {"erased": True}:
        committed = None
    elif isinstance(value, dict) and sorted(value) == ["part", "salt"] and isinstance(value["part"], dict):
        committed = value
    else:
        raise Wrong(f"the part {part} is none")
    if event["v"] > 1:
        return  # its parts may be made in another way
    want = hash_of(event.get(part))
    if committed and sha256(b"onrecord/v1/" + part.encode() + b"\0" + hash_of(value["salt"]) + encode(value["part"])) != want:
        raise Wrong(f"the part {part} is not the one that the sealed bytes commit to")


class Verifier:
    def __init__(self, vkey, since=None):
        self.vkey, self.since = vkey, since
        self.tree, self.sum = Tree(), hashlib.sha256()
        self.bytes = self.events = 0
        self.ended = self.since_seen = False

    def header(self, value):
        if not set(value) <= {"checkpoint", "format", "log", "query"} or value.get("format") != "onrecord/export/v1":
            raise Wrong("not the header of a verified export")
        if not all(isinstance(v, str) and v for v in value.values()) or "checkpoint" not in value:
            raise Wrong("the header lacks something")
        self.log, self.query = value.get("log"), value.get("query")
        self.origin, self.size, self.root = open_checkpoint(value["checkpoint"], self.vkey)
        if not re.fullmatch("onrecord/[^/]+/" + re.escape(self.log or "-"), self.origin):
            raise Wrong("the checkpoint is of another log")
        if self.since:
            origin, self.since_size, self.since_root = open_checkpoint(self.since, self.vkey)
            if origin != self.origin or self.since_size > self.size:
                raise Wrong("the earlier checkpoint is of another log, or of a longer one")
            self.look_back()

    def look_back(self):
        if self.since and self.tree.size == self.since_size:
            self.since_seen = True
            if self.tree.root() != self.since_root:
                raise Wrong("the log does not extend the earlier checkpoint")

    def line(self, n, line, last):
        value = parse(line[:-1])
        if not isinstance(value, dict):
            raise Wrong("not an object")
        if n == 1:
            self.header(value)
        elif "event" in value:
            self.event(value)
        elif "hashes" in value:
            self.skip(value)
        elif last:
            self.manifest(value)
        else:
            raise Wrong("neither an event nor leaves that are left out")
        self.sum.update(line)
        self.bytes += len(line)

    def event(self, value):
        hash = check_event(value, self.log)
        if not number(value["leaf"]) or value["leaf"] != self.tree.size:
            raise Wrong(f"leaf {value['leaf']} where leaf {self.tree.size} belongs")
        self.events += 1
        self.tree.push(0, hash)
        self.look_back()

    def skip(self, value):
        levels, hashes = value.get("skip"), value.get("hashes")
        if not self.query:
            raise Wrong("leaves are left out of an export of the whole log")
        if len(value) != 2 or not isinstance(levels, list) or not isinstance(hashes, list) or not levels or len(levels) != len(hashes):
            raise Wrong("not how leaves are left out")
        for level, hash in zip(levels, hashes):
            if not number(level) or level > 62:
                raise Wrong("no height of a subtree")
            self.tree.push(level, hash_of(hash))
            self.look_back()

    def manifest(self, value):
        if value != {"bytes": self.bytes, "events": self.events, "sha256": self.sum.hexdigest()} or not number(value["events"]) or not number(value["bytes"]):
            raise Wrong("the manifest is not of this file")
        if self.tree.size != self.size or self.tree.root() != self.root:
            raise Wrong("the events are not those that the checkpoint signs")
        if self.since and not self.since_seen:
            raise Wrong("the export leaves out leaves around the earlier checkpoint")
        self.ended = True


def verify(path, vkey, since=None):
    v, n = Verifier(vkey, since), 0
    with open(path, "rb") as file:
        for n, line, last in lines_of(file):
            try:
                v.line(n, line, last)
            except Wrong as wrong:
                raise Wrong(f"line {n}: {wrong}")
    if not v.ended:
        raise Wrong(f"the export ends after line {n} without its manifest")
    return v


def main(args):
    if len(args) not in (2, 3):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    since = None
    if len(args) == 3:
        with open(args[2], encoding="utf-8", newline="") as file:
            since = file.read()
    try:
        v = verify(args[0], args[1], since)
    except Wrong as wrong:
        print(wrong)
        return 1
    whole = "all events of" if not v.query else "events of"
    print(f"{v.events} events, {whole} the log {v.origin} up to {v.size} leaves, as they were sealed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
