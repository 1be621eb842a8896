"""Bitshuffle with LZ4 (HDF5 filter 32008), unpacked here by its definition."""
import struct

import numpy as np


def unpack_lz4(block):
    out, i = bytearray(), 0
    while True:
        token = block[i]
        i += 1
        length = token >> 4
        if length == 15:
            while block[i] == 255:
                length += 255
                i += 1
            length += block[i]
            i += 1
        out += block[i:i + length]
        i += length
        if i >= len(block):
            return bytes(out)
        offset = block[i] | block[i + 1] << 8
        i += 2
        length = (token & 15) + 4
        if token & 15 == 15:
            while block[i] == 255:
                length += 255
                i += 1
            length += block[i]
            i += 1
        for _ in range(length):
            out.append(out[-offset])


def unpack_chunk(raw, element):
    total, block = struct.unpack('>QI', raw[:12])
    out, at = b'', 12
    while total - len(out) >= 8 * element:
        length, = struct.unpack('>I', raw[at:at + 4])
        bits = np.frombuffer(unpack_lz4(raw[at + 4:at + 4 + length]), np.uint8)
        n = len(bits) // element
        rows = np.unpackbits(bits.reshape(8 * element, n // 8), axis=1, bitorder='little')
        out += np.packbits(rows.T, axis=1, bitorder='little').tobytes()
        at += 4 + length
    return out + raw[at:]


def frames_of(data, first, last):
    """Frames first..last-1 of a data set, within one chunk of it: through HDF5, or unpacked here if they are packed."""
    if data.id.get_create_plist().get_nfilters() == 0:
        return data[first:last]
    step = data.chunks[0]
    plain, raw = data.id.read_direct_chunk((first // step * step, 0, 0))
    unpacked = raw if plain else unpack_chunk(raw, data.dtype.itemsize)
    chunk = np.frombuffer(unpacked, data.dtype).reshape(data.chunks)
    return chunk[first % step:first % step + last - first]
