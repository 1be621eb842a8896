"""A phantom whose attenuation is known, a camera that sees it, and a stage that tells its angle another way."""
import hashlib
import json
import struct
import time

import numpy as np

from harness import Publisher

COLS, ROWS, SIZE = 160, 6, 128
PIXEL_UM = 100.0
# Discs: x, y (up), radius in columns, attenuation in 1/cm.
DISCS = ((0, 0, 60, 0.8), (30, 10, 12, 2.0))


def line(angle_deg, axis_px):
    a, u, total = np.radians(angle_deg), np.arange(COLS) - axis_px, np.zeros(COLS)
    for x, y, r, mu in DISCS:
        d = u - (x * np.cos(a) - y * np.sin(a))
        total += 2 * np.sqrt(np.maximum(r * r - d * d, 0)) * mu * PIXEL_UM * 1e-4
    return total


class Camera(Publisher):
    """Darks of 100, flats that fall off to one side, and counts of the phantom in every row."""

    def __init__(self, scene, axis_px=79.5):
        super().__init__(scene, role="camera", ndattr={})
        self.axis_px = axis_px
        self.flat = 30000 - 60 * np.arange(COLS)

    def show(self, counts, **ndattr):
        self.send(np.tile(counts, (ROWS, 1)).round().astype(np.uint16), ndattr=ndattr)

    def darks_and_flats(self):
        for _ in range(3):
            self.show(np.full(COLS, 100.0), ImageKey=2)
            self.show(self.flat.astype(float), ImageKey=1)

    def projection(self, angle_deg, **more):
        counts = 100 + (self.flat - 100) * np.exp(-line(angle_deg, self.axis_px))
        self.show(counts, ImageKey=0, **({"RotationAngle": angle_deg} if angle_deg is not None else {}), **more)


class Stage(Publisher):
    """Scalars: a trigger and the angle it was at, in one message."""

    def __init__(self, scene):
        super().__init__(scene, role="scalars")

    def tell(self, **channels):
        names = json.dumps({"htype": "bsr_d-1.1", "channels": [{"name": name, "type": "float64"} for name in channels]}).encode()
        now = int(time.time())
        main = {"htype": "bsr_m-1.1", "hash": hashlib.md5(names).hexdigest(), "pulse_id": self.next, "dh_compression": "none",
                "global_timestamp": {"sec": now, "ns": 5}}
        parts = [part for value in channels.values() for part in (struct.pack("<d", value), struct.pack("<qq", now, 0))]
        self.socket.send_multipart([json.dumps(main).encode(), names, *parts])
        self.next += 1
