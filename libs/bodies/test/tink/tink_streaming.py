"""Tink's own AES256_GCM_HKDF_1MB, for comparison: `pip install tink`.

  tink_streaming.py seal|open <key hex> <associated data>    stdin to stdout
  tink_streaming.py vectors                                  writes vectors.json anew
"""
import hashlib
import io
import json
import pathlib
import sys

import tink
from tink import secret_key_access, streaming_aead
from tink.proto import tink_pb2

SEGMENT = 1048576
FIRST = SEGMENT - 40 - 16


class Kept(io.BytesIO):
    """Tink closes what it writes to; the bytes are wanted afterwards."""

    def close(self):
        pass


def primitive(key):
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add(status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW)
    entry.key_data.type_url = template.type_url
    entry.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    # AesGcmHkdfStreamingKey {params = 2; key_value = 3}; the template is {params = 1; key_size = 2}.
    params = template.value[2 : 2 + template.value[1]]
    entry.key_data.value = b"\x12" + bytes([len(params)]) + params + b"\x1a\x20" + key
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def seal(key, associated_data, plaintext):
    kept = Kept()
    with primitive(key).new_encrypting_stream(kept, associated_data) as stream:
        stream.write(plaintext)
    return kept.getvalue()


def open_(key, associated_data, ciphertext):
    with primitive(key).new_decrypting_stream(io.BytesIO(ciphertext), associated_data) as stream:
        return stream.read()


def pattern(length):
    """What the test makes too: byte i is (31 i + 7 ⌊i / 256⌋) mod 256."""
    return bytes((31 * i + 7 * (i >> 8)) & 255 for i in range(length))


def vectors():
    key = bytes(range(32))
    associated_data = "0191d0f0-0000-7000-8000-000000000001"
    for length in [0, 1, 1000, FIRST - 1, FIRST, FIRST + 1, FIRST + SEGMENT - 16, FIRST + SEGMENT]:
        ciphertext = seal(key, associated_data.encode(), pattern(length))
        yield {
            "key": key.hex(),
            "associatedData": associated_data,
            "length": length,
            "header": ciphertext[:40].hex(),
            "ciphertextBytes": len(ciphertext),
            "ciphertextSha256": hashlib.sha256(ciphertext).hexdigest(),
            **({"ciphertext": ciphertext.hex()} if length <= 1000 else {}),
        }


streaming_aead.register()
if sys.argv[1] == "vectors":
    target = pathlib.Path(__file__).with_name("vectors.json")
    target.write_text(json.dumps(list(vectors()), indent=2) + "\n")
else:
    work = {"seal": seal, "open": open_}[sys.argv[1]]
    data = work(bytes.fromhex(sys.argv[2]), sys.argv[3].encode(), sys.stdin.buffer.read())
    sys.stdout.buffer.write(data)
