"""Data that the course runs on: real photographs that ship with it.

>>> from cnnlib import data
>>> data.photo("camera").shape
(512, 512)
"""

from cnnlib.data.photos import PHOTOS, assets, photo

__all__ = ["PHOTOS", "assets", "photo"]
