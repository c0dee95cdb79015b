"""Reading folders of any size on a cluster: scripts/ocr --cluster. It needs distributed."""
