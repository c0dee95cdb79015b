"""The scheduler and the workers of a cluster that reads folders, on Dask's distributed.

What clients send to the workers is in client/sealed_ocr_client/cluster/.
"""
