"""COCO files of a whole source: a data set of its own, or results in the ids of somebody's ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from rfseg._core import InputError
from rfseg.files import GrowingFile, PartFile, Spool
from rfseg.formats.coco import coco_records
from rfseg.formats.frame_names import Frame, FrameNames, Naming
from rfseg.formats.numbers import line_bytes

if TYPE_CHECKING:
    from rfseg.result import Result


_NAMED = 5  # of what is left out


class CocoFile:
    """A COCO data set of detections: images, annotations with scores and areas, categories.

    Every class that the model names and every id in use is a category. `annotations` are written as they come; what is
    said of the images waits on the disk, so that days of video need no memory. Complete, the file gets its name.
    """

    def __init__(
        self, path: Path, names: Mapping[int, str], frame_names: Naming | None = None, first_category: int = 0
    ) -> None:
        """Opens the file.

        Args:
            path: of the file.
            names: of the model's classes.
            frame_names: how the frames are called; the default calls them after the file.
            first_category: category id of class 0. 1 for tools that reserve 0 (CVAT, datumaro).
        """
        self.path = path
        self._names, self._first = dict(names), first_category
        self._frame_names = frame_names or FrameNames(path.name.split(".")[0])
        head = b'{"info":{"description":"Instances found by rfseg"},"licenses":[],"annotations":['
        self._file = PartFile(path, head)
        try:
            self._images = Spool(path.parent)
        except OSError:
            self._file.abandon()
            raise
        self._frames = self._annotations = 0
        self._state = "whole"

    def write(self, frame: Frame, result: Result) -> None:
        """Adds a frame and what was found in it."""
        self._state = "failed"
        height, width = (int(n) for n in result.image_size)
        image = {"id": frame.index, "file_name": self._frame_names(frame), "height": height, "width": width}
        self._images.append((b",\n" if self._frames else b"\n") + line_bytes(image))
        self._frames += 1
        for class_id, name in zip(result.class_id.tolist(), result.class_name, strict=True):
            self._names.setdefault(class_id, name)
        records: list[bytes] = []
        for record, area in zip(coco_records(result, frame.index), result.masks.area.tolist(), strict=True):
            record["category_id"] += self._first
            number = self._annotations + len(records) + 1
            records.append(line_bytes({"id": number, **record, "area": area, "iscrowd": 0}))
        if records:
            self._file.append((b",\n" if self._annotations else b"\n") + b",\n".join(records))
        self._annotations += len(records)
        self._state = "whole"

    def close(self) -> None:
        """Completes the file; after a failure it stays the part that it is."""
        state, self._state = self._state, "closed"
        if state == "whole":
            categories = [{"id": i + self._first, "name": name} for i, name in sorted(self._names.items())]
            self._file.append(b'\n],"images":[')
            self._file.append_all(self._images)
            self._file.append(b'\n],"categories":' + line_bytes(categories) + b"}\n")
            self._file.complete()
        elif state == "failed":
            self._images.close()
            self._file.abandon()


class CocoLike:
    """The image ids, category ids and file names of somebody's ground truth, for results that graders take."""

    def __init__(self, ground_truth: Mapping[str, Any]) -> None:
        """Takes what a COCO file of instances holds.

        Raises:
            InputError: it has no images or categories as COCO has them, or two categories of one name.
        """
        try:
            images = [(str(image["file_name"]), image["id"]) for image in ground_truth["images"]]
            self.categories = {int(category["id"]): str(category["name"]) for category in ground_truth["categories"]}
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a COCO data set with images and categories: {error!r}") from None
        self._by_name = {name: category for category, name in self.categories.items()}
        if len(self._by_name) < len(self.categories):
            twice = next(name for name, count in Counter(self.categories.values()).items() if count > 1)
            raise InputError(f"the ground truth has two categories called '{twice}'")
        self._image_of_name = dict(images)
        self._images_of_last: dict[str, list[Any]] = {}
        for name, image_id in images:
            self._images_of_last.setdefault(PurePosixPath(name).name, []).append(image_id)

    def image_id(self, file_name: str) -> Any:
        """The id of the image with that name, or else of the only one whose last part is the same.

        Raises:
            InputError: there is none, or several.
        """
        if file_name in self._image_of_name:
            return self._image_of_name[file_name]
        found = self._images_of_last.get(PurePosixPath(file_name).name, [])
        if len(found) == 1:
            return found[0]
        many = f"{len(found)} images" if found else "no image"
        raise InputError(f"the ground truth has {many} called '{PurePosixPath(file_name).name}' ({file_name})")

    def category(self, class_id: int, name: str | None) -> int | None:
        """The category of that name; of that id where the class has no name. None where there is none."""
        if name is not None:
            return self._by_name.get(name)
        return class_id if class_id in self.categories else None

    def records(self, result: Result, image_id: Any) -> list[dict[str, Any]]:
        """COCO results of one image; classes that the ground truth does not have are left out."""
        found = {i: self.category(i, result.names.get(i)) for i in set(result.class_id.tolist())}
        categories = {class_id: category for class_id, category in found.items() if category is not None}
        known = np.isin(result.class_id, np.array(list(categories), np.int64))
        return coco_records(result[known], image_id, categories)


class CocoResults:
    """A plain list of COCO results in a ground truth's own ids, as `COCO.loadRes` takes it.

    Images that the ground truth does not have are left out; `unknown` counts them, `some_unknown` names the first. The
    classes that it does not have are in `unknown_classes`.
    """

    def __init__(self, path: Path, like: CocoLike, frame_names: Naming | None = None) -> None:
        """Opens the file."""
        self.path = path
        self.unknown = 0
        self.some_unknown: list[str] = []
        self.unknown_classes: set[str] = set()
        self._like, self._frame_names = like, frame_names or FrameNames(path.name.split(".")[0])
        self._file = GrowingFile(path, b"[", b"\n]\n")
        self._comma = b""

    def write(self, frame: Frame, result: Result) -> None:
        """Adds what was found in an image."""
        name = self._frame_names(frame)
        try:
            image_id = self._like.image_id(name)
        except InputError:
            self.unknown += 1
            if len(self.some_unknown) < _NAMED:
                self.some_unknown.append(name)
            return
        for class_id, class_name in zip(result.class_id.tolist(), result.class_name, strict=True):
            if self._like.category(class_id, result.names.get(class_id)) is None:
                self.unknown_classes.add(class_name)
        records = self._like.records(result, image_id)
        if records:
            self._file.append(self._comma + b"\n" + b",\n".join(map(line_bytes, records)))
            self._comma = b","

    def close(self) -> None:
        """Closes the file, which is valid after every image."""
        self._file.close()

    def left_out(self) -> list[str]:
        """A sentence for images and one for classes that the ground truth lacks."""
        classes = sorted(self.unknown_classes)
        lacks = (("images", self.unknown, self.some_unknown), ("classes", len(classes), classes[:_NAMED]))
        return [
            f"left out {count} {what} that the ground truth lacks: {', '.join(some)}{', ...' * (count > len(some))}"
            for what, count, some in lacks
            if count
        ]
