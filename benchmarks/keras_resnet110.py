"""ResNet-110 for CIFAR-10 as one writes it by hand in Keras: what `specs/resnet.net` with n=18 is measured against."""

import keras
from keras import layers


def unit(x, filters, stride=1):
    shortcut = x
    if stride > 1:
        shortcut = layers.AveragePooling2D(1, strides=stride)(shortcut)
    if filters > x.shape[-1]:
        extra = (filters - x.shape[-1]) // 2
        shortcut = layers.Permute((1, 3, 2))(shortcut)
        shortcut = layers.ZeroPadding2D(((0, 0), (extra, extra)))(shortcut)
        shortcut = layers.Permute((1, 3, 2))(shortcut)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
    return layers.Add()([shortcut, x])


def resnet(n):
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    for filters in (16, 32, 64):
        for index in range(n):
            x = unit(x, filters, stride=2 if filters > 16 and index == 0 else 1)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    x = layers.Activation("relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


if __name__ == "__main__":
    resnet(18)
