"""The data of the paper: MATH and its benchmarks, from their public homes or from local files."""
