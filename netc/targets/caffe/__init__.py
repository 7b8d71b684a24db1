"""Models of Caffe: `.prototxt` files."""
