"""A Result in other people's formats: COCO, GeoJSON, JSON lines, YOLO text, labelme, Parquet, label maps.

One file a format, none of which knows another; each is imported when it is first used. What lasts for a whole source
(`CocoFile`, `YoloFiles`, ...) has `path`, `write(frame, result)` and `close()`, and needs no more memory on the last
day than on the first.
"""
